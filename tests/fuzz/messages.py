"""Mutated AMQP messages for a real publisher on a real broker: no honest command may be lost among them."""

import asyncio
import math
import os
import random
import secrets
import struct
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import aio_pika
from aio_pika import Message
from aio_pika.exceptions import AMQPError
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp import commands, frame
from pydantic import SecretStr

from intake.commands import Reply
from intake.parsing import read_json
from process.settings import Settings
from publisher.broker_state import BrokerState
from publisher.command_processing import Command
from publisher.run import run
from publisher.timing import TIMING
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_KEY, SUBMIT_QUEUE
from sandbox.broker.node import Node
from schemas.problem import Refusal
from store.database import Store
from tests.support.weighing import resident

BATCH = 500
HONEST_EVERY = 50
MOST_GROWN = 100_000_000
WAIT_SECONDS = 60.0
_FLAGS = list(commands.Basic.Properties.flags)
_WORDS = [b"\xff\xfe", b"", b"amq.gen-x", b"video.commands.dead", b"amq.rabbitmq.reply-to.x", b"\x00", b"9" * 255]
_BODIES = [b"", b"{}", b"[", b"[" * 50_000, b"\xff", b'{"motion": NaN}', b'{"a": "\\ud800"}', b"null", b'{"motion": 1}']


@dataclass
class Found:
    """What a run came to; `wrong` says what was lost."""

    tried: int
    honest: int
    parked: int
    longest_pause: float
    grown: int
    """By how many bytes the process of the publisher, which sends as well, grew."""
    wrong: str | None


def _short(raw: bytes) -> bytes:
    return bytes([len(raw[:255])]) + raw[:255]


def _table(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        depth = rng.choice([3, 50, 2000])
        table = b""
        for _ in range(depth):
            table = b"\x01kF" + struct.pack(">I", len(table)) + table
        return struct.pack(">I", len(table)) + table
    entries = b"".join(
        _short(rng.choice([b"x-delivery-count", b"x-reason", b"\xff", b"k"]))
        + rng.choice([b"t\x01", b"l" + b"\xff" * 8, b"T" + b"\xff" * 8, b"V", b"S\x00\x00\x00\x02\xff\xfe"])
        for _ in range(rng.randint(0, 4))
    )
    return struct.pack(">I", len(entries)) + entries


def header(rng: random.Random, size: int) -> bytes:
    """Write a header frame's payload whose properties are anything that a broker lets through."""
    chosen = [flag for flag in _FLAGS if flag not in {"user_id", "expiration", "cluster_id"} and rng.random() < 0.4]
    values = []
    for flag in chosen:
        if flag == "headers":
            values.append(_table(rng))
        elif flag == "timestamp":
            values.append(rng.choice([rng.randbytes(8), b"\xff" * 8, bytes(8)]))
        elif flag in {"delivery_mode", "priority"}:
            values.append(bytes([rng.randint(0, 255) if flag == "priority" else rng.randint(1, 2)]))
        else:
            values.append(_short(rng.choice([*_WORDS, rng.randbytes(rng.randint(0, 40))])))
    flags = sum(commands.Basic.Properties.flags[flag] for flag in chosen)
    return struct.pack(">HHQH", 60, 0, size, flags) + b"".join(values)


def body(rng: random.Random) -> bytes:
    """Give a body that is no honest command."""
    if rng.random() < 0.5:
        return rng.choice(_BODIES)
    return rng.randbytes(rng.randint(0, 200))


async def fuzz(messages: int, *, seed: int, until: float) -> Found:
    """Send so many mutated messages, or as many as there is time for, with honest ones among them."""
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Path(folder) / "broker")
        await asyncio.to_thread(node.start)
        try:
            store = await Store.open(f"sqlite:///{folder}/reelbus.db")
            try:
                return await _against(node, store, messages, random.Random(seed), until)
            finally:
                await store.close()
        finally:
            await asyncio.to_thread(node.stop, now=True)


async def _against(node: Node, store: Store, messages: int, rng: random.Random, until: float) -> Found:
    taken: set[str | None] = set()

    async def handle(command: Command) -> Reply:
        try:
            fields = read_json(command.body)
        except Refusal as refusal:
            return Reply({"code": refusal.problem.code, "detail": ""}, accepted=False, readable=False)
        if fields != {"honest": True}:
            return Reply({"code": "invalid_request", "detail": ""}, accepted=False)
        taken.add(command.message_id)
        return Reply({"id": command.message_id}, accepted=True)

    settings = Settings(amqp_url=SecretStr(node.url), exchange=f"fuzz.{secrets.token_hex(4)}")
    stop, state, pauses = asyncio.Event(), BrokerState(), [0.0]
    timing = replace(TIMING, backoff_max=0.5, pause=0.05)
    room = asyncio.create_task(run(settings, store, state, handle, stop, timing=timing))
    watching = asyncio.create_task(_watch(pauses))
    before = resident(os.getpid())
    try:
        honest, tried = await _send(node.url, messages, rng, state, until)
        parked, wrong = await _quiet(node.url, honest, taken)
    finally:
        stop.set()
        watching.cancel()
        await room
    grown = resident(os.getpid()) - before
    if grown > MOST_GROWN:
        wrong = f"the process grew by {grown:,} bytes"
    return Found(tried, len(honest), parked, max(pauses), grown, wrong)


async def _watch(pauses: list[float]) -> None:
    """Note for how long the event loop let nobody else run."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        pauses[0] = max(pauses[0], time.monotonic() - before - 0.01)


async def _send(url: str, messages: int, rng: random.Random, state: BrokerState, until: float) -> tuple[set[str], int]:
    while state.commands is None or not state.commands.connected:
        await asyncio.sleep(0.05)
    honest: set[str] = set()
    tried = 0
    sender = await aio_pika.connect(url)
    try:
        exchange = await (await sender.channel()).get_exchange(COMMANDS, ensure=False)
        while tried < messages and time.monotonic() < until:
            for _ in range(BATCH // HONEST_EVERY):
                name = str(uuid4())
                await exchange.publish(Message(b'{"honest": true}', message_id=name), SUBMIT_KEY)
                honest.add(name)  # the broker has confirmed it
            tried += await _batch(url, min(BATCH, messages - tried), rng)
    finally:
        await sender.close()
    return honest, tried


async def _batch(url: str, count: int, rng: random.Random) -> int:
    """Send so many mutated messages, fewer if the broker itself would not have one; say how many."""
    tried = 0
    connection = await aio_pika.connect(url)
    try:
        channel = await (await connection.channel(publisher_confirms=False)).get_underlay_channel()
        assert isinstance(channel, Channel)
        while tried < count:
            tried += 1
            await _publish(channel, header(rng, len(raw := body(rng))), raw)
        await channel.queue_declare(SUBMIT_QUEUE, passive=True)  # answered once all before has arrived
    except AMQPError:
        return tried
    finally:
        with suppress(AMQPError):
            await connection.close()
    return tried


async def _publish(channel: Channel, properties: bytes, raw: bytes) -> None:
    publish = frame.marshal(commands.Basic.Publish(exchange=COMMANDS, routing_key=SUBMIT_KEY), channel.number)
    frames = publish + struct.pack(">BHI", 2, channel.number, len(properties)) + properties + b"\xce"
    if raw:
        frames += struct.pack(">BHI", 3, channel.number, len(raw)) + raw + b"\xce"
    sent = channel.create_future()
    await channel.write_queue.put(ChannelFrame(payload=frames, should_close=False, drain_future=sent))
    await sent


async def _quiet(url: str, honest: set[str], taken: set[str | None]) -> tuple[int, str | None]:
    """Wait until nothing is left in the queue, or no more leaves it; say how many are parked and what is missing."""
    connection = await aio_pika.connect(url)
    try:
        channel = await connection.channel()
        fewest, deadline = math.inf, math.inf
        while time.monotonic() < deadline:
            submit = await channel.declare_queue(SUBMIT_QUEUE, passive=True)
            left = (submit.declaration_result.message_count or 0) + len(honest - taken)
            if not left:
                break
            if left < fewest:
                fewest, deadline = left, time.monotonic() + WAIT_SECONDS
            await asyncio.sleep(0.2)
        dead = await channel.declare_queue(DEAD_QUEUE, passive=True)
        missing = len(honest - taken)
        return dead.declaration_result.message_count or 0, f"{missing} honest commands are lost" if missing else None
    finally:
        await connection.close()
