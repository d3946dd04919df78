"""Pictures of which no two are the same, and a place on loopback where they can be fetched."""

import asyncio
import re
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

_SIDE = 512
_ASKED = re.compile(rb"GET /(\d+)\.png ")


def numbered_picture(number: int) -> bytes:
    """Draw a small PNG that shows a number and nothing else."""
    rows = [b"\0" + struct.pack(">Q", number).ljust(_SIDE, b"\0")] + [b"\0" * (_SIDE + 1)] * (_SIDE - 1)
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(b"".join(rows))), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@asynccontextmanager
async def gallery(answers: asyncio.Event | None = None) -> AsyncIterator[str]:
    """Serve every picture under its number; give the address of the place.

    While `answers` is given and not set, the place lets everybody in and answers nobody.
    """
    server = await asyncio.start_server(partial(_serve, answers), "127.0.0.1", 0)
    async with server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            if answers is not None:
                answers.set()


async def _serve(answers: asyncio.Event | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        asked = _ASKED.match(await reader.readuntil(b"\r\n\r\n"))
        if answers is not None:
            await answers.wait()
        body = numbered_picture(int(asked[1])) if asked else b""
        head = b"HTTP/1.1 %d -\r\nContent-Type: image/png\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        writer.write(head % (200 if asked else 404, len(body)) + body)
        await writer.drain()
    writer.close()
