"""Tell listeners of events as they are decided, over Server-Sent Events, whether or not a broker is there.

Every listener has a place in the feed and reads on from it: from the newest events, which are kept in memory for
all, or from the store where it has fallen behind. So a slow listener costs nothing but its own delay.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from intake.context import Context
from jobs import feed
from process.asyncio_events import linked, wait_any
from process.repeating import repeat
from schemas.problem import ProblemCode, Refusal
from store.database import StoreUnavailable
from store.outbox import OutboxEvent
from store.transaction import Signal

_SWEEP_SECONDS = 1.0
_KEPT = 512
_RETRY_MILLISECONDS = 2000
_COMMENT = b": still here\n\n"

_Page = Sequence["_Written"]


class _Written(NamedTuple):
    """An event as it is told: its place in the feed, its video, and the lines."""

    seq: int
    video_id: str
    lines: bytes


class Events:
    """The newest events, and whoever listens to them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._woken = context.store.listen(Signal.EVENTS)
        self._newest: deque[_Written] = deque(maxlen=_KEPT)
        self._position = 0
        self._more = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._listeners: Counter[str] = Counter()

    async def listen(self, request: Request) -> Response:
        """Begin to tell a listener, from now on or after what it heard last, of all videos or one."""
        position = await self._context.store.read(feed.place_of, request.headers.get("last-event-id"))
        if self._following is None or self._following.done():
            self._position = position
            self._newest.clear()
            self._following = asyncio.create_task(self._follow())
        video_id = request.query_params.get("video")
        return _Stream(self, self._context, position, request.scope["reelbus.caller"], video_id)

    @contextmanager
    def listener(self, caller: str) -> Iterator[None]:
        """Count a listener. Raises `Refusal` (overloaded) where the caller, or all together, have too many."""
        limits = self._context.limits
        if self._listeners.total() >= limits.listeners or self._listeners[caller] >= limits.key_listeners:
            raise Refusal(ProblemCode.OVERLOADED, "too many listeners are connected; try again", retry_after=5)
        self._listeners[caller] += 1
        try:
            yield
        finally:
            self._listeners[caller] -= 1

    async def after(self, position: int) -> _Page:
        """Give the next events after a place; none if there are none yet."""
        if position >= self._position:
            return []
        if self._newest and self._newest[0].seq <= position + 1:
            return [entry for entry in self._newest if entry.seq > position]
        return [_written(event) for event in await self._context.store.read(feed.after, position)]

    async def wait(self, seconds: float) -> None:
        """Wait until there is more, the service stops, or some seconds are over."""
        await wait_any(self._more, self._context.stopping, timeout=seconds)

    async def _follow(self) -> None:
        """Read what is new, from the first listener on until the service stops."""
        stopping = self._context.stopping
        async with linked(self._woken, by=(stopping,)):
            await repeat(self._read_new, stopping, every=_SWEEP_SECONDS, expected=(StoreUnavailable,), wake=self._woken)

    async def _read_new(self) -> int:
        events = await self._context.store.read(feed.after, self._position)
        if events:
            self._broadcast(events)
        return len(events)

    def _broadcast(self, events: Sequence[OutboxEvent]) -> None:
        self._newest.extend(_written(event) for event in events)
        self._position = events[-1].seq
        self._more.set()
        self._more = asyncio.Event()


def _written(event: OutboxEvent) -> _Written:
    lines = f"id: {event.event_id}\nevent: {event.type}\ndata: {event.body}\n\n".encode()
    return _Written(event.seq, event.video_id, lines)


class _Stream(Response):
    """One listener's answer, which ends when it leaves, falls silent, or the service stops."""

    media_type = "text/event-stream"

    def __init__(self, events: Events, context: Context, position: int, caller: str, video_id: str | None) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._context = context
        self._position = position
        self._caller = caller
        self._video_id = video_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell until the end."""
        with self._events.listener(self._caller):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body"})
            else:
                await self._until_the_end(receive, send)

    async def _until_the_end(self, receive: Receive, send: Send) -> None:
        telling = asyncio.create_task(self._broadcast(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, TimeoutError, StoreUnavailable):
                    await task

    async def _broadcast(self, send: Send) -> None:
        limits = self._context.limits
        await self._send(send, f": from now on\nretry: {_RETRY_MILLISECONDS}\n\n".encode())
        while not self._context.stopping.is_set():
            page = await self._events.after(self._position)
            if page:
                self._position = page[-1].seq
                await self._send(send, self._told(page) or _COMMENT)
                continue
            waited_for = self._position
            await self._events.wait(limits.event_comment)
            if waited_for == self._position and not await self._events.after(self._position):
                await self._send(send, _COMMENT)
        await send({"type": "http.response.body"})

    def _told(self, page: _Page) -> bytes:
        return b"".join(each.lines for each in page if self._video_id in {None, each.video_id})

    async def _send(self, send: Send, data: bytes) -> None:
        async with asyncio.timeout(self._context.limits.send_stall):
            await send({"type": "http.response.body", "body": data, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
