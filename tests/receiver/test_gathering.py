"""An answer leaves at the end of the loop's turn, with one system call, whole and before the connection's end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from receiver.gathering import GatheringTransport


@asynccontextmanager
async def gathering() -> AsyncIterator[tuple[GatheringTransport, socket.socket]]:
    """Give a transport over one end of a connection, and the other end, which never waits."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)  # noqa: FBT003 - the standard library has no other way
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    try:
        yield GatheringTransport(transport, loop), theirs
    finally:
        transport.abort()
        theirs.close()


async def received(theirs: socket.socket) -> bytes:
    """Read all that comes until the connection's end."""
    loop = asyncio.get_running_loop()
    whole = b""
    while piece := await loop.sock_recv(theirs, 2**20):
        whole += piece
    return whole


async def test_what_is_written_in_one_turn_leaves_together_at_its_end() -> None:
    async with gathering() as (transport, theirs):
        transport.write(b"head ")
        transport.write(b"body")
        with pytest.raises(BlockingIOError):
            theirs.recv(100)
        await asyncio.sleep(0)
        assert theirs.recv(100) == b"head body"


async def test_an_answer_is_whole_before_the_connection_ends() -> None:
    async with gathering() as (transport, theirs):
        transport.write(b"the answer")
        transport.close()
        transport.write(b" and no more")
        assert await received(theirs) == b"the answer"


async def test_the_end_of_what_is_sent_comes_behind_it() -> None:
    async with gathering() as (transport, theirs):
        transport.write(b"refused")
        transport.write_eof()
        assert await received(theirs) == b"refused"


async def test_what_was_not_sent_is_lost_when_a_connection_is_aborted() -> None:
    async with gathering() as (transport, theirs):
        transport.write(b"late")
        transport.abort()
        assert await received(theirs) == b""


async def test_much_at_once_does_not_wait_in_memory() -> None:
    async with gathering() as (transport, theirs):
        transport.write(b"x" * 100_000)
        assert len(theirs.recv(200_000)) > 0
