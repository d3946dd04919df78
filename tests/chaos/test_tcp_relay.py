"""The relay that stands for the network in other tests does to it what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.support.tcp_relay import TcpRelay, relay
from tests.support.waiting import eventually


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """Give the port of a server that says what it hears, then ends."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def way(echo: int) -> AsyncIterator[TcpRelay]:
    async with relay(echo) as opened:
        yield opened


async def _said(way: TcpRelay, words: bytes, *, within: float = 10.0) -> bytes:
    async with asyncio.timeout(within):
        reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
        try:
            writer.write(words)
            writer.write_eof()
            return await reader.read()
        finally:
            writer.close()


async def test_what_is_said_arrives_and_so_does_its_end(way: TcpRelay) -> None:
    assert await _said(way, b"hello" * 50_000) == b"hello" * 50_000
    await eventually(lambda: way.connections == 0)


async def test_what_is_held_up_arrives_when_it_is_released(way: TcpRelay) -> None:
    way.hold()
    with pytest.raises(TimeoutError):
        await _said(way, b"hello", within=0.3)
    asking = asyncio.create_task(_said(way, b"hello"))
    way.release()
    assert await asking == b"hello"


async def test_a_cut_resets_connections_and_lets_new_ones_in(way: TcpRelay) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    await eventually(lambda: way.connections == 1)
    way.cut()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert await _said(way, b"hello") == b"hello"


async def test_half_closed_connections_end_for_those_who_listen(way: TcpRelay) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
    await eventually(lambda: way.connections == 1)
    way.half_close()
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_one_that_refuses_resets_whoever_comes(way: TcpRelay) -> None:
    way.refuses = True
    with pytest.raises(ConnectionResetError):
        await _said(way, b"hello")


async def test_of_several_targets_those_that_refuse_are_left_out(echo: int, unused_tcp_port: int) -> None:
    async with AsyncExitStack() as stack:
        way = await stack.enter_async_context(relay(unused_tcp_port, echo))
        assert [await _said(way, b"hello") for _ in range(4)] == [b"hello"] * 4
