"""HTTP connections that give nobody unlimited time or room before a request has even begun.

uvicorn waits for a request's head as long as the sender likes. This protocol gives it a deadline and a size, and
closes a connection whose sender goes on sending a body after the answer.
"""

import asyncio
from typing import Any

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from receiver.context import Limits
from schemas.problem import CONTENT_TYPE, ProblemCode, problem

_LINGER_SECONDS = 2.0


class Connection(HttpToolsProtocol):
    """One client's connection; `limits` is set on a subclass made for a server."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's arguments
        super().__init__(*args, **kwargs)
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
