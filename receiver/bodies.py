"""Read a request's body within bounds of size, memory and time: a slowloris is cut off."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from intake.context import Context
from intake.spool import Spool
from receiver.plain_http import BODY_CAME
from schemas.problem import ProblemCode, Refusal

_PIECE = 256 * 1024
_PROGRESS = 4096
"""Bytes that must come in each interval of a stall; fewer count as a stall."""


class Body:
    """A whole body: in memory if small, else in a file without a name, as far as there is room in the spool."""

    def __init__(self, in_memory: int, spool: Spool, caller: str) -> None:
        self.size = 0
        self._in_memory = in_memory
        self._spool = spool
        self._caller = caller
        self._reserved = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - lives as long as the body

    def add(self, chunk: bytes) -> None:
        """Take the next bytes. Raises `Refusal` (overloaded) where the spool is full."""
        self.size += len(chunk)
        if self.size > self._in_memory:
            more = self.size - self._reserved
            self._spool.reserve(self._caller, more)
            self._reserved += more
        self._file.write(chunk)

    def read(self) -> bytes:
        """Give all bytes."""
        self._file.seek(0)
        return self._file.read()

    def pieces(self) -> Iterator[bytes]:
        """Give all bytes little by little."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Drop the bytes."""
        self._file.close()
        self._spool.release(self._caller, self._reserved)
        self._reserved = 0


async def read_body(request: Request, context: Context, caller: str) -> Body:
    """Receive the body of a request, at most `REELBUS_MAX_BODY_BYTES`.

    Raises `Refusal` for a larger or a stalled one or where there is no room for it now, and `ClientDisconnect`.
    """
    limits, limit = context.limits, context.settings.max_body_bytes
    announced = request.headers.get("content-length", "0")
    if len(announced) > 18 or int(announced) > limit:
        raise _too_large(limit)
    body = Body(limits.body_in_memory, context.spool, caller)
    try:
        await _fill(body, request, limits.body_stall, limit)
    except BaseException:
        body.close()
        raise
    return body


async def _fill(body: Body, request: Request, stall: float, limit: int) -> None:
    clock = asyncio.get_running_loop()
    progress = 0
    try:
        async with asyncio.timeout(None if BODY_CAME in request.scope else stall) as deadline:
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk = message.get("body", b"")
                if body.size + len(chunk) > limit:
                    raise _too_large(limit)
                body.add(chunk)
                if not message.get("more_body", False):
                    return
                progress += len(chunk)
                if progress >= _PROGRESS:
                    deadline.reschedule(clock.time() + stall)
                    progress = 0
    except TimeoutError:
        detail = f"the body brought too little in {stall:g} s; send it without pauses"
        raise Refusal(ProblemCode.REQUEST_TIMEOUT, detail) from None


async def read_capped_body(
    receive: Receive, *, keep: int, limit: int, stall: float | None
) -> tuple[bytes | None, int, bool]:
    """Receive a body of which no more than `keep` bytes matter and no more than `limit` are waited for.

    It may take `stall` seconds, or with None any time.

    Gives the bytes, or None if they are more or did not all come; how many came; and whether it stalled.
    """
    kept = bytearray()
    size = 0
    stalled = False
    with suppress(ClientDisconnect):
        try:
            async with asyncio.timeout(stall):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    if size <= keep:
                        kept += chunk
                    if not message.get("more_body", False):
                        return (bytes(kept) if size <= keep else None), size, False
                    if size > limit:
                        break
        except TimeoutError:
            stalled = True
    return None, size, stalled


def _too_large(limit: int) -> Refusal:
    return Refusal(
        ProblemCode.PAYLOAD_TOO_LARGE,
        f"the body is larger than {limit} bytes; send a smaller picture, or its address as image_url",
    )
