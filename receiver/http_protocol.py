"""HTTP connections that give nobody (slowloris) unlimited time or room before a request has even begun.

Every read is small, and what each connection may hold has a bound. A fast parser reads plain requests. A request
that offers to change the protocol (`Upgrade`) or whose body comes in chunks is read by a slower parser, from its
first byte to its last: what follows a head is where parsers disagree, and where request smuggling begins.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, cast

from intake.context import Limits
from receiver.careful_http import CarefulHttp
from receiver.gathering import GatheringTransport
from receiver.plain_http import PlainHttp

# uvicorn warns of every request that is no HTTP, so that senders could fill the log.
logging.getLogger("uvicorn.connection").setLevel(logging.ERROR)

_READ_BYTES = 16 * 1024
"""What a thousand senders may make us read at once is a thousand times this."""


class Connection(asyncio.BufferedProtocol):
    """One client's connection, read into a buffer that all connections share."""

    _buffer = bytearray(_READ_BYTES)

    def __init__(self, limits: Limits, **arguments: Any) -> None:  # noqa: ANN401 - uvicorn's arguments
        self._limits = limits
        self._arguments = arguments
        self._http: PlainHttp | CarefulHttp = PlainHttp(limits, self._read_carefully, **arguments)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many connections."""
        gathering = GatheringTransport(cast("asyncio.Transport", transport), self._http.loop)
        self._http.connection_made(cast("asyncio.Transport", gathering))
        if len(self._http.connections) > self._limits.connections:
            transport.abort()  # type: ignore[attr-defined]  # every transport of a socket has it

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
        self._http.stuck_since = self._http.loop.time()
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Resume those who answer."""
        self._http.stuck_since = None
        self._http.resume_writing()

    def _read_carefully(self, received: bytes) -> None:
        """Read one request, of which at least the head was received, with the slower parser."""
        self._replace(CarefulHttp(self._limits, self._read_fast, **self._arguments), received)

    def _read_fast(self, received: bytes) -> None:
        """Read what follows that request with the fast parser again."""
        self._replace(PlainHttp(self._limits, self._read_carefully, **self._arguments), received)

    def _replace(self, successor: PlainHttp | CarefulHttp, received: bytes) -> None:
        previous, self._http = self._http, successor
        previous.retire()
        successor.connection_made(previous.transport)
        if previous.flow.write_paused:
            successor.stuck_since = previous.stuck_since
            successor.pause_writing()
        successor.data_received(received)


def abort_stuck(connections: Iterable[PlainHttp | CarefulHttp], *, now: float, seconds: float) -> None:
    """End the connections whose clients have read nothing for so long, even after we closed them from our side."""
    for connection in list(connections):
        if connection.stuck_since is None:
            connection.stuck_since = now if connection.transport.is_closing() else None
        elif now - connection.stuck_since >= seconds:
            connection.transport.abort()
