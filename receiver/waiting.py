"""Long polling: answer a request for a video when it has changed, for as long as `Prefer: wait=N` says (RFC 7240).

One task reads which videos have new events and wakes those who wait for them; nobody asks the store again and again.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable

from starlette.requests import Request

from intake.context import Context
from jobs import feed
from process.asyncio_events import linked, wait_any
from process.repeating import repeat
from store.database import StoreUnavailable
from store.transaction import Signal

LONGEST = 60
"""Seconds that a request may wait."""

_SWEEP_SECONDS = 1.0
_MOST_FOR_ONE = 64
_MOST = 256

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?=[,;]|$)", re.IGNORECASE)


def preferred_wait(request: Request) -> int:
    """Read for how many seconds a request may wait; 0 where it does not want to."""
    found = _WAIT.search(",".join(request.headers.getlist("prefer"))[:1000])
    return min(int(found[1]), LONGEST) if found else 0


class Waiting:
    """Those who wait for a change of a video."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._woken = context.store.listen(Signal.EVENTS)
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._callers: Counter[str] = Counter()
        self._following: asyncio.Task[None] | None = None
        self._place: int | None = None

    def has_room(self, caller: str) -> bool:
        """Say whether one more may wait; whoever may not is answered at once."""
        return self._callers.total() < _MOST and self._callers[caller] < _MOST_FOR_ONE

    async def until(
        self, video_id: str, enough: Callable[[], Awaitable[bool]], *, request: Request, seconds: float
    ) -> None:
        """Wait until `enough`, which looks at the store, says so after an event; at most so many seconds.

        It ends too when the caller leaves or the service stops.
        """
        caller: str = request.scope["reelbus.caller"]
        changed, left = asyncio.Event(), asyncio.Event()
        leaving = asyncio.create_task(_leave(request, left))
        self._callers[caller] += 1
        self._waiting[video_id].add(changed)
        self._follow()
        try:
            async with asyncio.timeout(seconds):
                while not await enough() and not left.is_set() and not self._context.stopping.is_set():
                    await wait_any(changed, left, self._context.stopping)
                    changed.clear()
        except TimeoutError:
            pass
        finally:
            leaving.cancel()
            self._callers[caller] -= 1
            self._waiting[video_id].discard(changed)
            if not self._waiting[video_id]:
                del self._waiting[video_id]

    def _follow(self) -> None:
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        """Wake those who wait for the videos of new events, until the service stops."""
        stopping = self._context.stopping
        async with linked(self._woken, by=(stopping,)):
            await repeat(
                self._wake_some, stopping, every=_SWEEP_SECONDS, expected=(StoreUnavailable,), wake=self._woken
            )

    async def _wake_some(self) -> int:
        if not self._waiting:
            self._place = None
            return 0
        if self._place is None:
            self._place = await self._context.store.read(feed.place_of, None)
            self._wake_all()  # what came before this place is seen by looking once more
        events = await self._context.store.read(feed.after, self._place)
        for event in events:
            for changed in self._waiting.get(event.video_id, ()):
                changed.set()
            self._place = event.seq
        return len(events)

    def _wake_all(self) -> None:
        for waiting in self._waiting.values():
            for changed in waiting:
                changed.set()


async def _leave(request: Request, left: asyncio.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    left.set()
