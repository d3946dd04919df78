"""A TCP relay in front of a server, which a test can stop from forwarding what clients say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE = 64 * 1024


class SwallowingRelay:
    """Forwards bytes both ways between its port and a server's, until it is told to swallow the clients' ones."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._swallowing = False
        self._writers: set[asyncio.StreamWriter] = set()

    def swallow(self) -> None:
        """Forward nothing more that clients say; what the server says still arrives."""
        self._swallowing = True

    def forward(self) -> None:
        """Cut the connections of before, and forward everything of new ones."""
        for writer in list(self._writers):
            writer.transport.abort()
        self._swallowing = False

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Relay one connection."""
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            to_client.transport.abort()
            return
        writers = {to_client, to_server}
        self._writers |= writers
        try:
            await asyncio.gather(self._pump(client, to_server, up=True), self._pump(server, to_client, up=False))
        finally:
            self._writers -= writers

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool) -> None:
        with suppress(OSError):
            while data := await source.read(_PIECE):
                if not (up and self._swallowing):
                    sink.write(data)
                    await sink.drain()
        sink.close()


@asynccontextmanager
async def relay(port: int) -> AsyncIterator[SwallowingRelay]:
    """Relay to a port of loopback for as long as the context lasts."""
    relaying = SwallowingRelay(port)
    server = await asyncio.start_server(relaying.serve, "127.0.0.1", 0)
    relaying.port = server.sockets[0].getsockname()[1]
    try:
        yield relaying
    finally:
        server.close()
        relaying.forward()
