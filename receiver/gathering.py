"""Write what is answered in one turn of the event loop with one system call, as an answer's head and its body."""

import asyncio
from typing import Any

_MOST_BYTES = 64 * 1024
"""With more it does not wait for the turn's end, so that the loop's transport sees a client that reads slowly."""


class GatheringTransport:
    """A transport whose writes leave together at the end of the loop's turn; all else is the transport's below.

    The loop's own transport writes at once, so that an answer's head and its body are two system calls, each of which
    wakes the client: an eighth of what a webhook costs.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing  # asked several times for each request, and `__getattr__` is slow
        self._loop = loop
        self._gathered: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport offers
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes at the end of this turn."""
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(data)
        self._size += len(data)
        if self._size > _MOST_BYTES:
            self._flush()

    def write_eof(self) -> None:
        """Send what was written, and then no more."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what was written, and close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        self._gathered.clear()
        self._transport.abort()

    def _flush(self) -> None:
        if self._gathered:
            gathered, self._gathered, self._size = self._gathered, [], 0
            self._transport.write(b"".join(gathered))
