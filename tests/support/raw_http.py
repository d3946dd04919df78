"""A bare HTTP/1.1 connection: every byte and every segment is the test's own."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.waiting import GIVE_UP_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; a status of 0 is a connection that was closed without another word."""

    status: int
    body: bytes = b""


CLOSED = Answer(0)


@dataclass
class RawConnection:
    """What is sent goes out as it is; answers are read one at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send one segment."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, within: float = GIVE_UP_SECONDS) -> Answer:
        """Read the next answer, or find the connection closed."""
        try:
            async with asyncio.timeout(within):
                head = await self.reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await self.reader.readexactly(int(length[1])) if length else b""
        except (asyncio.IncompleteReadError, ConnectionError):
            return CLOSED
        return Answer(int(head.split()[1]), body)

    async def answers(self) -> list[Answer]:
        """Read all answers until the other side closes."""
        found = []
        while (answer := await self.answer()) != CLOSED:
            found.append(answer)
        return found


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[RawConnection]:
    """Connect to a port of loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.close()
