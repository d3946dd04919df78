"""A message that the library cannot decode is taken like any other, and the connection outlives it."""

import asyncio
import struct
from collections.abc import Callable
from importlib.metadata import version

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from aiormq.connection import Connection, FrameReceiver
from pamqp import commands, frame
from pamqp.header import ContentHeader

from publisher.connect import connect
from publisher.frames import UNDECODABLE
from tests.publisher.conftest import QUICK
from tests.support.broker import Broker
from tests.support.waiting import GIVE_UP_SECONDS

CONTENT = struct.Struct(">HHQH")


def content(flag: str, value: bytes, size: int) -> bytes:
    """Write a header frame's payload with one property, whatever its bytes."""
    return CONTENT.pack(60, 0, size, commands.Basic.Properties.flags[flag]) + value


def short(raw: bytes) -> bytes:
    return bytes([len(raw)]) + raw


def nested(depth: int) -> bytes:
    """Write a table in a table in a table."""
    table = b""
    for _ in range(depth):
        table = b"\x01kF" + struct.pack(">I", len(table)) + table
    return struct.pack(">I", len(table)) + table


POISONS: dict[str, bytes] = {
    "message_id": short(b"\xff\xfe"),
    "reply_to": short(b"\xff\xfe"),
    "content_type": short(b"\xff\xfe"),
    "correlation_id": short(b"\xff\xfe"),
    "timestamp": b"\xff" * 8,
    "headers": nested(3000),
}


async def publish_raw(broker: Broker, exchange: str, key: bytes, header: Callable[[int], bytes], body: bytes) -> None:
    """Publish a message whose properties are given as bytes, as no decent client would."""
    connection = await aio_pika.connect(broker.url)
    try:
        channel = await (await connection.channel(publisher_confirms=False)).get_underlay_channel()
        assert isinstance(channel, Channel)
        publish = frame.marshal(commands.Basic.Publish(exchange=exchange, routing_key="k" * len(key)), channel.number)
        payload = header(len(body))
        frames = publish.replace(b"k" * len(key), key)
        frames += struct.pack(">BHI", 2, channel.number, len(payload)) + payload + b"\xce"
        if body:
            frames += struct.pack(">BHI", 3, channel.number, len(body)) + body + b"\xce"
        sent = asyncio.get_running_loop().create_future()
        await channel.write_queue.put(ChannelFrame(payload=frames, should_close=False, drain_future=sent))
        await sent
        await channel.queue_declare("amq.rabbitmq.reply-to", passive=True)  # answered once all before has arrived
    finally:
        await connection.close()


async def _taken(broker: Broker, exchange: str, key: bytes, header: Callable[[int], bytes]) -> AbstractIncomingMessage:
    connection = await connect(broker.settings(), QUICK, name="test")
    arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    try:
        channel = await connection.channel()
        await channel.declare_exchange(exchange, "fanout", auto_delete=True)
        queue = await channel.declare_queue(exclusive=True, arguments={"x-queue-type": "classic"})
        await queue.bind(exchange)
        await queue.consume(arrived.put)
        await publish_raw(broker, exchange, key, header, b"poison")
        await publish_raw(broker, exchange, b"fine", lambda size: ContentHeader(body_size=size).marshal(), b"honest")
        async with asyncio.timeout(GIVE_UP_SECONDS):
            first, second = await arrived.get(), await arrived.get()
        assert second.body == b"honest"
        return first
    finally:
        await connection.close()


@pytest.mark.parametrize("flag", POISONS)
async def test_properties_that_cannot_be_decoded_are_left_out_and_said_to_be(broker: Broker, flag: str) -> None:
    message = await _taken(broker, f"poison.{flag}", b"fine", lambda size: content(flag, POISONS[flag], size))

    assert message.body == b"poison"
    assert message.headers.keys() == {UNDECODABLE}
    assert message.message_id is None


async def test_a_routing_key_that_is_not_utf_8_is_shown_escaped(broker: Broker) -> None:
    header = ContentHeader(body_size=6).marshal()
    message = await _taken(broker, "poison.key", b"video.\xff.\xc3\xb8", lambda _: header)

    assert message.body == b"poison"
    assert message.routing_key == "video.\\xff.ø"


def test_the_library_is_the_one_whose_inside_this_was_written_for() -> None:
    """Fails when aiormq moves: read `publisher/frames.py` and `publisher/window.py` against the new release."""
    assert version("aiormq").startswith("7.2.")
    assert callable(Connection.__dict__["_Connection__reader"])
    assert callable(FrameReceiver.__dict__["get_frame"])
