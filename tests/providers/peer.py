"""A server on loopback that answers with exactly the bytes, and at exactly the pace, that a test wants."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.providers.orders import PATIENT

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What the peer does once a whole request is in."""


@dataclass
class Peer:
    """Counts what it sees, and does `acts` in turn, the last one for ever.

    With a `greeting` it says that at once, and then listens to whatever comes and never answers. When `hasty` it
    acts as soon as a request's head is in.
    """

    acts: list[Act] = field(default_factory=list)
    greeting: bytes | None = None
    hasty: bool = False
    tls: ssl.SSLContext | None = None
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    seen: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _reached: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def start(self, host: str = "127.0.0.1") -> None:
        self._server = await asyncio.start_server(self._serve, host, 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def until_reached(self) -> None:
        """Wait until a connection stands, with TLS where that is asked for."""
        await asyncio.wait_for(self._reached.wait(), PATIENT)

    async def until_asked(self) -> None:
        """Wait until a whole request is in."""
        await asyncio.wait_for(self._asked.wait(), PATIENT)

    async def until_left(self) -> None:
        """Wait until a connection that was listened to is over."""
        await asyncio.wait_for(self._left.wait(), PATIENT)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _next(self) -> Act:
        return self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self._reached.set()
        writer.write(self.greeting or b"")
        try:
            while request := await self._request(reader):
                self.requests.append(request)
                self._asked.set()
                await self._next()(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            self._left.set()
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        raw = b""
        while b"\r\n\r\n" not in raw or self.greeting is not None:
            more = await reader.read(65536)
            self.seen += len(more)
            if not more:
                return b""
            raw += more
        head, _, body = raw.partition(b"\r\n\r\n")
        length = 0 if self.hasty else int(header(raw, "content-length") or 0)
        if len(body) < length:
            more = await reader.readexactly(length - len(body))
            self.seen += len(more)
            body += more
        return head + b"\r\n\r\n" + body


def header(request: bytes, name: str) -> str | None:
    """Find a header of a raw request."""
    for line in request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.decode("latin-1").strip().lower() == name.lower():
            return value.decode("latin-1").strip()
    return None


def body_of(request: bytes) -> bytes:
    """Give the body of a raw request."""
    return request.partition(b"\r\n\r\n")[2]


def wire(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Write an answer as it goes over the wire; `retry_after="1"` becomes `retry-after: 1`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("content-type", "application/json")
    named.setdefault("content-length", str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode("latin-1") + body


def says(status: int, document: object, **headers: str) -> Act:
    """Answer with a JSON document, or with bytes as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sends(wire(status, body, **headers))


def sends(raw: bytes, *, close: bool = False) -> Act:
    """Write exactly these bytes."""

    async def act(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if close:
            writer.close()

    return act


def hangs(raw: bytes = b"") -> Act:
    """Write these bytes and then nothing for ever."""

    async def act(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await asyncio.Event().wait()

    return act


def listens(when: asyncio.Event | None = None) -> Act:
    """Answer nothing, and (when it is time) listen until the other side leaves."""

    async def act(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        if when is not None:
            await when.wait()
        while await reader.read(65536):
            pass

    return act


def resets(raw: bytes = b"") -> Act:
    """Write these bytes, then break the connection with a TCP reset."""

    async def act(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if raw:
            # Lets the peer read them: a reset throws away what is still on its way.
            await asyncio.sleep(0.05)
        own = writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return act


def drips(raw: bytes, pause: float = 0.02) -> Act:
    """Write one byte at a time, always soon enough for a time limit that counts each read alone."""

    async def act(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in raw:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    return act


def floods(head: bytes, piece: bytes, times: int) -> Act:
    """Write a head and then a piece again and again."""

    async def act(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(times):
            writer.write(piece)
            await writer.drain()

    return act
