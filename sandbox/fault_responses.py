"""The answers that faults make: spoilt, slow, or none at all."""

import asyncio
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import Fault

PADDING = b"x" * (8 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class FaultTiming:
    """How long the slow faults take, and the event that ends them all."""

    closing: asyncio.Event
    hang: float
    drip: float
    retry_after: float
    elsewhere: str


def apply_fault(fault: Fault, timing: FaultTiming, true: Response | None, seconds: float | None) -> Response:
    """Make the answer that this fault gives; `seconds` overrides how long or when."""
    if fault.manner == "drop":
        return Dropped()
    if fault.manner == "hang":
        return Silent(timing.closing, seconds or timing.hang)
    if fault.spoils:
        return _distorted(fault, timing, true or Response(b"{}", media_type="application/json"), seconds)
    answer = Response(fault.body, fault.status, media_type=fault.content_type)
    if fault.status == 308:
        answer.headers["location"] = timing.elsewhere
    if fault.retry_after:
        wait = timing.retry_after if seconds is None else seconds
        date = formatdate(ceil(time.time() + wait), usegmt=True)
        answer.headers["retry-after"] = date if fault.retry_after == "date" else str(ceil(wait))
    return answer


def _distorted(fault: Fault, timing: FaultTiming, true: Response, seconds: float | None) -> Response:
    body = bytes(true.body)
    status, media_type = true.status_code, true.media_type
    match fault.manner:
        case "truncate":
            return Response(body[: len(body) // 2], status, media_type=media_type)
        case "pad":
            return Response(body[:-1] + b',"padding":"' + PADDING + b'"}', status, media_type=media_type)
        case "comma":
            return Response(body[:-1] + b"," + body[-1:], status, media_type=media_type)
        case _:
            return Dripped(body, status, timing, seconds or timing.drip)


class Dropped(Response):
    """No answer: the connection is reset."""

    def __init__(self) -> None:
        super().__init__()
        self.status_code = 0

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Reset the connection of this request."""
        await _reset(scope, receive)


class Silent(Response):
    """No answer, for as long as the caller waits."""

    def __init__(self, closing: asyncio.Event, seconds: float) -> None:
        super().__init__()
        self.status_code = 0
        self._closing = closing
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Wait until the caller goes away, the time is over or the stand-in stops."""
        gone = asyncio.create_task(_gone(receive))
        closing = asyncio.create_task(self._closing.wait())
        await asyncio.wait((gone, closing), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        left = gone.done()
        for task in (gone, closing):
            task.cancel()
        if not left:
            await _reset(scope, receive)


class Dripped(Response):
    """A whole answer, a byte at a time."""

    def __init__(self, body: bytes, status: int, timing: FaultTiming, seconds: float) -> None:
        super().__init__(body, status, media_type="application/json")
        self._pause = seconds / max(1, len(body))
        self._closing = timing.closing

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head at once and the body slowly, while anybody listens."""
        gone = asyncio.create_task(_gone(receive))
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        for at in range(len(body)):
            last = at == len(body) - 1
            await send({"type": "http.response.body", "body": body[at : at + 1], "more_body": not last})
            if gone.done() or self._closing.is_set():
                break
            await asyncio.sleep(self._pause)
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(scope: Scope, receive: Receive) -> None:
    """Close the caller's connection with a reset and wait until the server has noticed."""
    transport = scope.get("sandbox.transport")
    if transport is None:
        raise ConnectionResetError("this server does not let the stand-in drop a connection")
    with suppress(OSError, AttributeError):
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await _gone(receive)
