"""A connection of its own for one request: opened, used once and closed.

It stands on the bare socket, not on a stream with buffers of its own, so that two things are exact. When `send`
returns, the last byte has left this process; and a failed `send` throws nothing away that has already come in.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohappyeyeballs import AddrInfoType, start_connection

# How long one address is tried before the next is tried beside it, as RFC 8305 advises.
HEAD_START_SECONDS = 0.25
PIECE_BYTES = 64 * 1024

T = TypeVar("T")


@asynccontextmanager
async def connection(host: bytes, port: int, tls: ssl.SSLContext | None) -> AsyncIterator["Connection"]:
    """Connect to a host, with TLS where a context for it is given; close as soon as the block is left.

    Raises OSError, or ValueError for a name that cannot be looked up; there is no time limit but the caller's.
    """
    addresses = await _addresses(host, port)
    with await start_connection(addresses, happy_eyeballs_delay=HEAD_START_SECONDS) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is None:
            yield Connection(connected)
        else:
            encrypted = EncryptedConnection(connected, tls, host.decode("ascii"))
            await encrypted.shake_hands()
            yield encrypted


async def _addresses(host: bytes, port: int) -> list[AddrInfoType]:
    try:
        # An address asks no name server, and so needs no thread to wait for one.
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except socket.gaierror:
        return list(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM))


class Connection:
    """Bytes to and from the other side; one task may send while another receives."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        """Return when the last byte has left this process. Raises OSError."""
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """Wait for bytes and give them; none means that no more will come. Raises OSError."""
        return await self._loop.sock_recv(self._socket, PIECE_BYTES)


class EncryptedConnection(Connection):
    """The same through TLS."""

    def __init__(self, connected: socket.socket, tls: ssl.SSLContext, host: str) -> None:
        super().__init__(connected)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._turn = asyncio.Lock()

    async def shake_hands(self) -> None:
        """Agree on keys, and check that the other side's certificate is good and names the host."""
        await self._finish(self._tls.do_handshake)

    async def send(self, data: bytes) -> None:
        """Return when the last byte has left this process. Raises OSError."""
        whole = memoryview(data)
        for start in range(0, len(whole), PIECE_BYTES):
            self._tls.write(whole[start : start + PIECE_BYTES])
            await self._flush()

    async def receive(self) -> bytes:
        """Wait for bytes and give them; none means that no more will come. Raises OSError."""
        try:
            return await self._finish(lambda: self._tls.read(PIECE_BYTES))
        except ssl.SSLEOFError:
            # Many servers end without TLS's own farewell; whether an answer is whole, its framing tells.
            return b""

    async def _finish(self, step: Callable[[], T]) -> T:
        """Repeat a step until it wants nothing more from the other side."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pass
            finally:
                # Whatever came of it: the other side is waiting for what TLS has to say, an alert too.
                await self._flush()
            received = await super().receive()
            if received:
                self._incoming.write(received)
            else:
                self._incoming.write_eof()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            # Whoever receives may have to send as well (a new key), and never into the middle of something.
            async with self._turn:
                await super().send(self._outgoing.read())
