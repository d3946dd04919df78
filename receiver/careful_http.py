"""Read the one request whose framing is not plain: with `Upgrade`, or with a body in chunks."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from intake.context import Limits
from receiver import problems
from receiver.plain_http import LINGER_SECONDS

_log = logging.getLogger("uvicorn.connection")

_LARGE_PIECE = 8 * 1024


class CarefulHttp(H11Protocol):
    """uvicorn's protocol over h11, for one request whose head the fast parser has found sound.

    h11 never changes the protocol by itself, reads a body to the length that the head declares, and holds no more
    of a chunk's line or of trailers than a head may have. `hand_back` is called with what came behind the request.
    """

    stuck_since: float | None = None

    def __init__(
        self,
        limits: Limits,
        hand_back: Callable[[bytes], None],
        **arguments: Any,  # noqa: ANN401 - uvicorn's arguments
    ) -> None:
        super().__init__(**arguments)
        self.limits = limits
        self.logger = _log
        self._hand_back = hand_back
        self._is_refused = False
        self._lingering: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_lingering()
        super().connection_lost(exc)

    def retire(self) -> None:
        """Leave the connection to another protocol."""
        self._stop_lingering()
        self.flow.resume_reading()
        self.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; those of a body that was answered already are dropped."""
        if self.transport.is_closing() or self._is_refused:
            return
        if self._has_cycle() and self.cycle.response_complete:
            self._skip_body(data)
            return
        if self._has_cycle() and not self.cycle.more_body:
            self._hold(data)
            return
        super().data_received(data)
        if self._has_cycle() and len(self.cycle.body) >= _LARGE_PIECE:
            self.flow.pause_reading()

    def on_response_complete(self) -> None:
        """Hand the connection back, or close where the rest of a body comes that nobody waits for."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.DONE and self.conn.their_state is h11.DONE:
            self._hand_back(self.conn.trailing_data[0])
        else:
            self._linger()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, which say nothing more
        """Answer for broken framing with a problem document, unless an answer is under way; close gently."""
        self._is_refused = True
        if self._has_cycle() and self.cycle.response_started:
            self.transport.close()
            return
        self.transport.write(problems.bad_request("the request's body is not framed as HTTP/1.1 has it"))
        self.transport.write_eof()
        self._linger()
        if self._has_cycle():
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _has_cycle(self) -> bool:
        """Say whether the head was read; until then uvicorn has None where its types promise a cycle."""
        return cast("RequestResponseCycle | None", self.cycle) is not None

    def _skip_body(self, data: bytes) -> None:
        """Read the rest of a body that nobody waits for, and hand the connection back at its end."""
        self.conn.receive_data(data)
        try:
            while isinstance(event := self.conn.next_event(), h11.Data):
                pass
        except h11.RemoteProtocolError:
            self.transport.close()
            return
        if isinstance(event, h11.EndOfMessage):
            self._hand_back(self.conn.trailing_data[0])

    def _hold(self, data: bytes) -> None:
        """Keep what comes before the answer; where it is too much, answer and close."""
        self.flow.pause_reading()
        if len(self.conn.trailing_data[0]) + len(data) > self.limits.head_bytes:
            self.cycle.keep_alive = False
        else:
            self.conn.receive_data(data)

    def _linger(self) -> None:
        self.flow.resume_reading()
        self._lingering = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _stop_lingering(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
