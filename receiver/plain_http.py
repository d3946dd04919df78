"""Read plain requests with the fast parser, one answer at a time, with bounds around a request's head and end."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from intake.context import Limits
from receiver import problems

_log = logging.getLogger("uvicorn.connection")

BODY_CAME = "reelbus.body_came"
"""In the scope of a request whose body came whole before anybody read it: there is nothing to wait for."""

LINGER_SECONDS = 2.0
"""How long a sender whose body nobody waits for may take to read the answer."""

_TOO_LARGE = "the request's head is too large; send fewer or shorter header fields"
_LARGE_PIECE = 8 * 1024
_NOT_PLAIN = frozenset({b"upgrade", b"transfer-encoding"})


class _Refused(HttpParserError):
    """Ends the parser's work; the message is for the sender."""


class PlainHttp(HttpToolsProtocol):
    """uvicorn's protocol over httptools, for requests whose bodies have a length.

    `hand_over` is called with the bytes of any other request, and with all that came behind it. Requests that come
    before the one ahead of them was answered (pipelining) wait unread, but for a few that came in one piece with it.
    """

    stuck_since: float | None = None

    def __init__(
        self,
        limits: Limits,
        hand_over: Callable[[bytes], None],
        **arguments: Any,  # noqa: ANN401 - uvicorn's arguments
    ) -> None:
        super().__init__(**arguments)
        self.limits = limits
        self.logger = _log
        self._hand_over = hand_over
        self._deadline: asyncio.TimerHandle | None = None
        self._head: bytearray | None = bytearray()
        """All bytes from the beginning of the head that is awaited; None where it is not known where that is."""
        self._head_bytes = 0
        self._in_head = False
        self._in_body = False
        self._is_plain = True
        self._rest_of_body = b""
        """What was read last, where it began with more of a body; `_body_at_start` bytes of it are that."""
        self._body_at_start = 0
        self._held = bytearray()
        self._refusal: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._set_deadline(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._forget_deadline()
        super().connection_lost(exc)

    def retire(self) -> None:
        """Leave the connection to another protocol."""
        self._forget_deadline()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, unless they belong to a request that comes before the one ahead of it was answered."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing() or self._refusal is not None:
            return
        if self._is_answering():
            self._hold(data)
        else:
            self._feed(data)

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin a request whose head is within bounds and plain."""
        size = len(self.url) + sum([len(name) + len(value) for name, value in self.headers])
        if size > self.limits.head_bytes or len(self.headers) > self.limits.head_fields:
            raise _Refused(_TOO_LARGE)
        if self.parser.should_upgrade() or not _NOT_PLAIN.isdisjoint([name for name, _ in self.headers]):
            self._is_plain = False
            raise _Refused("a request with Upgrade or in chunks must wait for the answers to those before it")
        if len(self.pipeline) >= self.limits.pipelined:
            raise _Refused("too many requests came at once; wait for answers between them")
        self._forget_deadline()
        self._head = None
        self._head_bytes = 0
        self._in_head = False
        self._in_body = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read no further until what came has been taken."""
        self._body_at_start += len(body)
        super().on_body(body)
        if len(body) >= _LARGE_PIECE and not self.cycle.response_complete:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        """Note that a request has come whole, and where the next one begins if that is known."""
        self._in_body = False
        if self._rest_of_body:
            self._head = bytearray(self._rest_of_body[self._body_at_start :])
            self._rest_of_body = b""
        super().on_message_complete()
        cast("dict[str, Any]", self.cycle.scope)[BODY_CAME] = True

    def on_response_complete(self) -> None:
        """Go on with what came meanwhile, or close where the rest of a body comes that nobody waits for."""
        super().on_response_complete()
        if self.transport.is_closing() or not self.cycle.response_complete:
            return
        if self._refusal is not None:
            self.send_400_response(self._refusal)
        elif self._in_body:
            self._set_deadline(LINGER_SECONDS)
        elif self._held:
            held, self._held = bytes(self._held), bytearray()
            (self.data_received if self._is_plain else self._hand_over)(held)
        elif self._in_head:
            self._set_deadline(self.limits.head_seconds)

    def send_400_response(self, msg: str) -> None:
        """Answer for what is no HTTP with a problem document too, and close gently (lingering close).

        A connection that is closed at once while bytes come is reset, and with it go the answers on their way.
        """
        self._refusal = msg
        self._forget_deadline()
        self.transport.write(problems.bad_request(msg))
        self.transport.write_eof()
        self.flow.resume_reading()
        self._set_deadline(LINGER_SECONDS)

    def _is_answering(self) -> bool:
        """Say whether the last request came whole and its answer is not complete."""
        return not self._in_body and not getattr(self.cycle, "response_complete", True)

    def _hold(self, data: bytes | bytearray) -> None:
        self._held += data
        self.flow.pause_reading()
        if len(self._held) > self.limits.head_bytes:
            self._refuse("too much was sent before the answer; wait for answers between requests")

    def _feed(self, data: bytes) -> None:
        if self._head is None and not self._in_head and not self._in_body:
            self._head = bytearray()
        if self._head is not None:
            self._head += data
        self._rest_of_body = data if self._in_body else b""
        self._body_at_start = 0
        try:
            self.parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._stop(error)
        else:
            self._bound_head(len(data))
        finally:
            self._rest_of_body = b""

    def _stop(self, error: Exception) -> None:
        """Hand a request over that is not plain, or refuse what is not HTTP."""
        if not self._is_plain and self._head is not None:
            if self._is_answering():
                self._hold(self._head)
            else:
                self._hand_over(bytes(self._head))
            return
        reason = error.__context__
        self._refuse(str(reason) if isinstance(reason, _Refused) else "the request is not HTTP/1.1")

    def _bound_head(self, size: int) -> None:
        """Count and time the bytes of a head that is not complete yet."""
        if self._in_body or self._is_answering():
            return
        self._head_bytes += size
        if self._head_bytes > self.limits.head_bytes:
            self._refuse(_TOO_LARGE)
        else:
            self._set_deadline(self.limits.head_seconds)

    def _refuse(self, detail: str) -> None:
        """Read nothing any more; say so once the requests before were answered, and close."""
        self._refusal = detail
        self._held.clear()
        self.flow.pause_reading()
        if not self._is_answering():
            self.send_400_response(detail)

    def _set_deadline(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
