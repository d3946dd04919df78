"""HTTP connections that give nobody unlimited time or room before a request has even begun.

uvicorn waits for a request's head as long as the sender likes, and takes as much as a socket has to give. Here a
head has a deadline and a size, every read is small, and a connection is closed whose sender goes on sending a body
after the answer.
"""

import asyncio
import logging
import re
from typing import Any, cast

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from receiver.context import Limits
from schemas.problem import CONTENT_TYPE, ProblemCode, problem

# uvicorn warns of every request that is no HTTP, so that senders could fill the log.
_log = logging.getLogger("uvicorn.connection")
_log.setLevel(logging.ERROR)

_LINGER_SECONDS = 2.0
# The parser skips the body of a request that offers to change the protocol, as some clients always do.
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_READ_BYTES = 16 * 1024
"""What a thousand senders may make us read at once is a thousand times this."""


class Connection(asyncio.BufferedProtocol):
    """One client's connection, read into a buffer that all connections share."""

    _buffer = bytearray(_READ_BYTES)

    def __init__(self, limits: Limits, **arguments: Any) -> None:  # noqa: ANN401 - uvicorn's arguments
        self._http = _Http(limits, **arguments)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._http.connection_made(cast("asyncio.Transport", transport))

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - the protocol's signature
        """Say where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take the bytes that came."""
        self._http.data_received(bytes(memoryview(self._buffer)[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._http.connection_lost(exc)

    def pause_writing(self) -> None:
        """Make those who answer wait: the client reads too slowly."""
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Let those who answer go on."""
        self._http.resume_writing()


class _Http(HttpToolsProtocol):
    """uvicorn's protocol with bounds around a request's head and end."""

    def __init__(self, limits: Limits, **arguments: Any) -> None:  # noqa: ANN401 - uvicorn's arguments
        super().__init__(**arguments)
        self.limits = limits
        self.logger = _log
        self._head_deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._body_unread = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a head, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; those before the end of a head are counted and timed."""
        if b"pgrade:" in data and self._awaits_head():
            data = _UPGRADE.sub(b"\r\nx-ignored:", data)
        super().data_received(data)
        if self.transport.is_closing() or not self._awaits_head():
            return
        self._head_bytes += len(data)
        if self._head_bytes > self.limits.head_bytes:
            self.send_400_response("the request's head is too large; send fewer or shorter header fields")
        else:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Let a request begin whose head is within bounds."""
        self._forget_deadline()
        self._head_bytes = 0
        size = len(self.url) + sum([len(name) + len(value) for name, value in self.headers])
        if size > self.limits.head_bytes or len(self.headers) > self.limits.head_fields:
            raise HttpParserError("head too large")
        self._body_unread = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read no further until what came has been taken."""
        super().on_body(body)
        if len(body) >= _READ_BYTES // 2 and not self.cycle.response_complete:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        """Note that a request has come whole."""
        self._body_unread = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Give a sender whose body nobody waits for a moment to read the answer, then close."""
        super().on_response_complete()
        if self._body_unread and not self.transport.is_closing():
            self._head_deadline = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, even one whose client never reads what it asked for."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.limits.send_stall, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Answer for what is no HTTP with a problem document too."""
        self._forget_deadline()
        body = problem(ProblemCode.BAD_REQUEST, msg).model_dump_json(exclude_none=True).encode()
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()

    def _awaits_head(self) -> bool:
        return not self._body_unread and getattr(self.cycle, "response_complete", True)

    def _expect_head(self) -> None:
        if self._head_deadline is None:
            self._head_deadline = self.loop.call_later(self.limits.head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._head_deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _forget_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
