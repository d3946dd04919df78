"""A TCP relay on loopback: the network between two programs, which a test can hold up, slow down or cut."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

_PIECE = 64 * 1024


class TcpRelay:
    """Forwards bytes both ways between its own port and a target's, as long as nobody hurts it.

    With several targets it gives each connection to the next one that lets it in, as a load balancer does.
    """

    def __init__(self, targets: Sequence[int]) -> None:
        self.port = 0
        self.delay = 0.0
        """Seconds by which every piece is late."""
        self.refuses = False
        """Whether new connections are cut at once, as where nobody listens."""
        self._targets = list(targets)
        self._turn = 0
        self._moving = asyncio.Event()
        self._moving.set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def connections(self) -> int:
        """How many connections pass through it."""
        return len(self._writers) // 2

    @property
    def moves(self) -> bool:
        """Whether anything arrives."""
        return self._moving.is_set()

    def cut(self) -> None:
        """Reset every connection that there is."""
        for writer in list(self._writers):
            _reset(writer)

    def half_close(self) -> None:
        """Tell both ends of every connection that the other says nothing more, and go on listening to both."""
        for writer in list(self._writers):
            with suppress(OSError, RuntimeError):
                writer.write_eof()

    def hold(self) -> None:
        """Move nothing: connections stay open and new ones are let in, and nothing arrives."""
        self._moving.clear()

    def release(self) -> None:
        """Move again."""
        self._moving.set()

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        opened = None if self.refuses else await self._opened()
        if opened is None:
            _reset(to_client)
            return
        server, to_server = opened
        ends = {to_client, to_server}
        self._writers |= ends
        try:
            await asyncio.gather(self._pump(client, to_server, to_client), self._pump(server, to_client, to_server))
        finally:
            self._writers -= ends
            for end in ends:
                end.close()

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        await self._moving.wait()
        for _ in self._targets:
            self._turn = (self._turn + 1) % len(self._targets)
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self._targets[self._turn])
        return None

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_PIECE):
                await asyncio.sleep(self.delay)
                await self._moving.wait()
                sink.write(data)
                await sink.drain()
            sink.write_eof()
        except (OSError, RuntimeError):  # a reset goes on to the other end
            _reset(sink)
            _reset(back)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by RST, so that what is under way is lost."""
    with suppress(OSError):
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@asynccontextmanager
async def relay(*targets: int) -> AsyncIterator[TcpRelay]:
    """Relay to ports of loopback for as long as the context lasts."""
    relaying = TcpRelay(targets)
    server = await asyncio.start_server(relaying.serve, "127.0.0.1", 0)
    relaying.port = server.sockets[0].getsockname()[1]
    try:
        yield relaying
    finally:
        server.close()
        relaying.release()
        relaying.cut()
