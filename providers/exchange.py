"""One request and its answer, over a connection of their own.

The last instant at which nothing was sent is known for certain: the connection stands, the request lies ready as
bytes, and `sending` is awaited before the first of them is handed over.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import h11
import httpx

from providers.connection import PIECE_BYTES, Connection, connection
from providers.promise import SendingHook, SentHook

MAX_HEAD_BYTES = 100 * 1024
MAX_INTERIM_ANSWERS = 32
_PORTS = {"http": 80, "https": 443}


@asynccontextmanager
async def exchange(
    request: httpx.Request, tls: ssl.SSLContext, *, sending: SendingHook, sent: SentHook
) -> AsyncIterator["Reply"]:
    """Send a request and give its answer, whose body is still to be read; close as soon as the block is left.

    `tls` serves https alone. Raises what `sending` raises, and OSError, ValueError or `h11.ProtocolError` for what
    the other side and the network do; there is no time limit but the caller's.
    """
    framing = h11.Connection(h11.CLIENT, MAX_HEAD_BYTES)
    pieces = _framed(request, framing)
    url = request.url
    port = url.port or _PORTS[url.scheme]
    async with connection(url.raw_host, port, tls if url.scheme == "https" else None) as line:
        await sending()
        # Beside the reading: who refuses a request may answer before having read the whole of it.
        writing = _Writing(line, pieces, sent)
        try:
            head = await _head(line, framing)
            await writing.heard()
            yield Reply(line, framing, head)
        finally:
            await writing.stop()


def _framed(request: httpx.Request, framing: h11.Connection) -> list[bytes]:
    head = framing.send(h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw))
    body = framing.send(h11.Data(data=request.read())) + framing.send(h11.EndOfMessage())
    # A document leaves together with its head; a picture is not copied for that.
    return [head + body] if len(body) < PIECE_BYTES else [head, body]


class _Writing:
    """A request on its way out. Should that fail, the answer, or that none comes, tells more than the failure."""

    def __init__(self, line: Connection, pieces: list[bytes], sent: SentHook) -> None:
        self._line = line
        self._pieces = pieces
        self._sent = sent
        self._all_left = False
        self._task = asyncio.create_task(self._write())

    async def heard(self) -> None:
        """Return when `sent` is through, if the whole request has left."""
        if self._all_left:
            await self._task

    async def stop(self) -> None:
        """Write no more, however much is left."""
        if not self._task.done():
            self._task.cancel()
            # The socket must not be closed before the event loop has let go of it.
            await asyncio.wait((self._task,))

    async def _write(self) -> None:
        with suppress(OSError):
            for piece in self._pieces:
                await self._line.send(piece)
            self._all_left = True
        if self._all_left:
            await self._sent()


async def _head(line: Connection, framing: h11.Connection) -> h11.Response:
    # Bounded, for they cost time, and whoever sends nothing else will never answer.
    for _ in range(MAX_INTERIM_ANSWERS):
        event = await _event(line, framing)
        if isinstance(event, h11.Response):
            return event
    raise h11.RemoteProtocolError("nothing but interim answers")


async def _event(line: Connection, framing: h11.Connection) -> object:
    while (event := framing.next_event()) is h11.NEED_DATA:
        framing.receive_data(await line.receive())
    return event


class Reply:
    """An answer whose head is in."""

    def __init__(self, line: Connection, framing: h11.Connection, head: h11.Response) -> None:
        self._line = line
        self._framing = framing
        self._head = head

    @property
    def status(self) -> int:
        """The status, 200 or more."""
        return self._head.status_code

    def header(self, name: bytes) -> str | None:
        """Find a header by its name in small letters; of several with that name, all in one."""
        values = [value.decode("latin-1") for key, value in self._head.headers if key == name]
        return ", ".join(values) if values else None

    async def body(self, at_most: int) -> bytes | None:
        """Read the body, or as much of it as shows that it is longer than `at_most` bytes: then give None."""
        body = bytearray()
        while isinstance(event := await _event(self._line, self._framing), h11.Data):
            body += event.data
            if len(body) > at_most:
                return None
        return bytes(body)
