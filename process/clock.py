"""The wall clock is put forwards and back; this notices it, by a clock that only ever goes on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Protocol

import structlog

SMALLEST_STEP = 2.0
"""Seconds; what is less is a clock being slewed, or a busy machine."""

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


class Clock:
    """The steps of the wall clock that one process sees."""

    def __init__(self, wall: Callable[[], float] = time.time, even: Callable[[], float] = steady) -> None:
        """Watch `wall`, which gives Unix seconds, by `even`."""
        self._wall, self._even = wall, even
        self.ahead = wall() - even()
        """By how many seconds the wall clock was ahead at the last step."""

    def measure(self) -> float:
        """Say by how many seconds the clock was put forward since the last look, or, below zero, back."""
        ahead = self._wall() - self._even()
        step = ahead - self.ahead
        if abs(step) < SMALLEST_STEP:
            return 0.0
        self.ahead = ahead
        return step


class ClockWatch:
    """Has the store mended before anything is decided by the wall clock, for one process."""

    def __init__(
        self,
        write: Callable[..., Awaitable[object]],
        mend: Callable[..., object],
        clock: Clock | None = None,
        *,
        of_machine: Callable[[], str | None] = machine,
    ) -> None:
        """Watch a clock, this machine's by default, and mend by `jobs.clock.mend` through the store's `write`."""
        self._write, self._mend, self._of_machine = write, mend, of_machine
        self._clock = clock or Clock()
        self._mended = False
        self._turn = asyncio.Lock()

    async def mend(self) -> int:
        """Mend the store if the clock was put forward or back since the last time, or before this process began.

        Gives 0: there is no more to be done at once. Raises what `write` raises, and then does it the next time.
        """
        async with self._turn:
            step = self._clock.measure()
            if step:
                log.warning("the clock was put forward" if step > 0 else "the clock was put back", seconds=abs(step))
                self._mended = False
            if not self._mended:
                await self._write(self._mend, self._of_machine(), step=step, ahead=self._clock.ahead, now=time.time())
                self._mended = True
        return 0


class TimedStore(Protocol):
    """What is needed of a store to watch the clock that decides in it."""

    @property
    def clock_is_shared(self) -> bool:
        """Whether its times are by one clock for all machines, that of a database server."""

    def now(self) -> float:
        """Give the time by that clock, in Unix seconds."""

    @property
    def write(self) -> Callable[..., Awaitable[object]]:
        """Runs `work(tx, …)` in a transaction."""


def watch_of(store: TimedStore, mend: Callable[..., object]) -> ClockWatch:
    """Watch the clock that decides in a store, for one process.

    Of a step of a server's clock nobody knows who mended it already. So one forward is left as it is: what is due
    comes early, and whoever does it asks first. One back may be mended by every process.
    """
    if store.clock_is_shared:
        return ClockWatch(store.write, mend, Clock(store.now), of_machine=lambda: None)
    return ClockWatch(store.write, mend)
