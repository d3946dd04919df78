"""Workers: claim work as it becomes due, renew its leases; on a graceful shutdown finish what is in hand.

By hand in 130 lines: aiojobs has no leases, and procrastinate a queue of its own beside the state that it works on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from process.asyncio_events import linked, wait
from process.leaving import leaving

T = TypeVar("T")

RENEW_SECONDS = 3.0
"""How often the leases of the work in hand are renewed."""

FINISH_SECONDS = 12.0
"""How long the work in hand may take on stopping, before it is cancelled."""

GATHER_SECONDS = 0.003
"""Between two claims while work is in hand: what becomes due meanwhile is claimed together."""

LONGEST_GATHER_SECONDS = 0.05
"""The same for who was woken in vain again and again: of many processes that hear of a piece of work, one gets it.
Whoever finds work looks as soon as ever again."""

_SHORTEST_WAIT = 0.02

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """Work by its ids, and when it is worth looking again (Unix seconds) unless somebody wakes us before."""

    work: dict[str, T]
    again_at: float | None


class Workers(Generic[T]):
    """A loop that claims work and a bounded number of tasks that do it."""

    def __init__(
        self,
        *,
        limit: int,
        look_every: float,
        wake: asyncio.Event,
        claim: Callable[[int], Awaitable[Found[T]]],
        handle: Callable[[T], Awaitable[bool]],
        renew: Callable[[Collection[str]], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Do at most `limit` pieces at once; `wake` is set when there may be more.

        Without being woken they look for more every `look_every` seconds at the latest.
        `claim` is given the room there is; its `again_at` is a time by `now`. `handle` says whether the same work may
        be due again soon, and is cancelled when stopping takes too long.
        """
        self._limit = limit
        self._look_every = look_every
        self._wake = wake
        self._claim = claim
        self._handle = handle
        self._renew = renew
        self._now = now
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._aside: set[str] = set()
        self._full = False
        self._gather = 0.0
        self._renewed_at = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then finish what is in hand."""
        renewing = asyncio.create_task(self._keep_leases())
        try:
            async with linked(self._wake, by=(stop,)):
                woken = False
                while not stop.is_set():
                    self._wake.clear()
                    began = time.monotonic()
                    pause = await self._fill(woken=woken)
                    await wait(self._wake, timeout=pause)
                    woken = self._wake.is_set()
                    gather = max(self._gather, GATHER_SECONDS) if self._in_hand else self._gather
                    await asyncio.sleep(began + gather - time.monotonic())
            await self._finish()
        finally:
            renewing.cancel()

    @contextmanager
    def aside(self, key: str) -> Iterator[None]:
        """Leave its place to other work while work in hand waits inside the block; its lease is renewed all the same.

        How many may wait so at once is for the caller to bound.
        """
        self._aside.add(key)
        self._wake.set()
        try:
            yield
        finally:
            self._aside.discard(key)

    async def _fill(self, *, woken: bool) -> float:
        """Claim and start what there is room for; say how long to wait unless woken, in seconds."""
        room = self._limit - len(self._in_hand.keys() - self._aside)
        self._full = room <= 0
        if self._full:
            return self._look_every
        try:
            # What is in hand must not look forgotten to our own claim after the store was away.
            await self._renew_leases()
            found = await self._claim(room)
        except Exception as error:
            log.warning("could not look for work", error=str(error))
            return self._look_every / 2
        self._full = len(found.work) >= room
        if found.work:
            self._gather = 0.0
        elif woken:
            self._gather = min(max(2 * self._gather, GATHER_SECONDS), LONGEST_GATHER_SECONDS)
        new = {key: work for key, work in found.work.items() if key not in self._in_hand}
        for key, work in new.items():
            self._in_hand[key] = asyncio.create_task(self._do(key, work))
        if found.again_at is None:
            return self._look_every
        return min(max(found.again_at - self._now(), _SHORTEST_WAIT), self._look_every)

    async def _do(self, key: str, work: T) -> None:
        again = True
        try:
            again = await self._handle(work)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("work failed unexpectedly")
        finally:
            del self._in_hand[key]
            if again or self._full:
                self._wake.set()

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._renew_leases()
            except Exception as error:
                log.warning("could not renew leases", error=str(error))

    async def _renew_leases(self) -> None:
        if self._in_hand and time.monotonic() - self._renewed_at >= RENEW_SECONDS:
            await self._renew(list(self._in_hand))
            self._renewed_at = time.monotonic()

    async def _finish(self) -> None:
        tasks = list(self._in_hand.values())
        if not tasks:
            return
        finished, unfinished = await asyncio.wait(tasks, timeout=FINISH_SECONDS)
        leaving.finished += len(finished)
        leaving.cancelled += len(unfinished)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
