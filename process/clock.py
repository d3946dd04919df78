"""The wall clock is put forwards and back; this notices it, by a clock that only ever goes on."""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog

SMALLEST_STEP = 2.0
"""Seconds; what is less is a clock being slewed, or a busy machine."""

_ONE_MOMENT = 0.1
"""Seconds that may lie between two readings that are to tell of one moment."""

T = TypeVar("T")
Mend = Callable[..., object]

_BOOT = Path("/proc/sys/kernel/random/boot_id")

log = structlog.get_logger(__name__)


def steady() -> float:
    """Give seconds that pass evenly, also while the machine is suspended, and mean nothing else."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@cache
def machine() -> str | None:
    """Name this machine since it was booted, the same for all its processes; None where the system does not say."""
    with suppress(OSError):
        return _BOOT.read_text().strip() or None
    return None


class Reading(NamedTuple):
    """What the clocks showed at one moment."""

    wall: float
    """Unix seconds."""
    ahead: float
    """By how many seconds the wall clock was ahead of the steady one."""
    step: float
    """By how many seconds the wall clock was put forward since the store was mended for it, or, below zero, back."""


class Clock:
    """The steps of the wall clock that one process sees."""

    def __init__(self, wall: Callable[[], float] = time.time, even: Callable[[], float] = steady) -> None:
        """Watch `wall`, which gives Unix seconds, by `even`."""
        self._wall, self._even = wall, even
        self.ahead = wall() - even()
        """By how many seconds the wall clock was ahead when the store was last mended for it."""

    def measure(self) -> Reading:
        """Read both clocks at one moment: a process that is suspended between the two looks again."""
        while True:
            before = self._even()
            wall = self._wall()
            even = self._even()
            if even - before < _ONE_MOMENT:
                break
        step = (wall - even) - self.ahead
        return Reading(wall, wall - even, step if abs(step) >= SMALLEST_STEP else 0.0)


class ClockWatch:
    """Has the store mended before anything is decided by the wall clock, for one process."""

    def __init__(
        self,
        write: Callable[..., Awaitable[None]],
        mend: Mend,
        clock: Clock | None = None,
        *,
        of_machine: Callable[[], str | None] = machine,
    ) -> None:
        """Watch a clock, this machine's by default, and mend by `jobs.clock.mend`; `write` is the store's."""
        self._write, self._mend, self._of_machine = write, mend, of_machine
        self._clock = clock or Clock()
        self._mended = False

    async def mend(self) -> None:
        """Mend the store if the clock was put forward or back since the last time, or before this process began.

        Raises what `write` raises, and then does it the next time.
        """
        if not self._mended or self._clock.measure().step:
            await self.compare()

    async def compare(self) -> int:
        """Mend the store for each step that nobody has mended, or that another process mended and that was undone.

        Gives 0: there is no more to be done at once. Raises what `write` raises.
        """
        await self.decide(self._write, _nothing)
        return 0

    async def decide(
        self, write: Callable[..., Awaitable[Any]], work: Callable[..., T], *args: object, **kwargs: object
    ) -> T:
        """Have `write` run `work(tx, …, now=…)`, and before it, in the same transaction, mend the store.

        Whatever other processes did about the clock meanwhile: the times that `work` finds fit the `now` it is given.
        """
        done: tuple[Reading, T] = await write(self._work, work, *args, **kwargs)
        seen, result = done
        self._mended = True
        if seen.step:
            self._clock.ahead = seen.ahead
            log.warning(
                "the clock was put forward" if seen.step > 0 else "the clock was put back", seconds=abs(seen.step)
            )
        return result

    def _work(self, tx: object, work: Callable[..., T], *args: object, **kwargs: object) -> tuple[Reading, T]:
        # Read here, and not before the work waited for its turn: another process may have mended a later step by then.
        seen = self._clock.measure()
        self._mend(tx, self._of_machine(), step=seen.step, ahead=seen.ahead, now=seen.wall)
        return seen, work(tx, *args, now=seen.wall, **kwargs)


def _nothing(tx: object, *, now: float) -> None:
    del tx, now


class TimedStore(Protocol):
    """What is needed of a store to watch the clock that decides in it."""

    @property
    def clock_is_shared(self) -> bool:
        """Whether its times are by one clock for all machines, that of a database server."""

    def now(self) -> float:
        """Give the time by that clock, in Unix seconds."""

    @property
    def write_unsynced(self) -> Callable[..., Awaitable[None]]:
        """Runs `work(tx, …)` in a transaction."""


def watch_of(store: TimedStore, mend: Callable[..., object]) -> ClockWatch:
    """Watch the clock that decides in a store, for one process.

    Of a step of a server's clock nobody knows who mended it already. So one forward is left as it is: what is due
    comes early, and whoever does it asks first. One back may be mended by every process.
    """
    if store.clock_is_shared:
        return ClockWatch(store.write_unsynced, mend, Clock(store.now), of_machine=lambda: None)
    return ClockWatch(store.write_unsynced, mend)
