"""The exchanges and queues of ours: what they are called, and that they are there.

Declaring is repeatable and changes nothing that exists, so it is done on every connection and again from time
to time. What exists under one of these names with other properties is left alone: the broker refuses with
`PRECONDITION_FAILED`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from pamqp.common import FieldTable

COMMANDS = "video.commands"
SUBMIT_KEY = "submit"
SUBMIT_QUEUE = "video.commands.submit"
DEAD_QUEUE = "video.commands.dead"

LOG_BYTES = 10_000_000_000
"""What the log may take on the broker's disk; beyond that its oldest events go before their seven days are over."""

DELIVERY_LIMIT = 20
"""Deliveries after which the broker itself parks a command: the backstop behind our own count."""

# A whole segment is dropped when its last event is too old, so small ones let seven days be seven days.
_LOG: FieldTable = {
    "x-queue-type": "stream",
    "x-max-age": "7D",
    "x-max-length-bytes": LOG_BYTES,
    "x-stream-max-segment-size-bytes": 20_000_000,
}

# A queue's arguments can never be changed, so these are for ever. Without a limit RabbitMQ 3 would deliver a
# poison message for ever, and RabbitMQ 4 would drop it after 20 deliveries; at least once is the only way of
# dead-lettering that cannot lose, and it needs reject-publish and, for the broker's memory, a bound.
_SUBMIT: FieldTable = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DELIVERY_LIMIT,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD_QUEUE,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
    "x-max-length-bytes": 2_000_000_000,
}

# Classic, because people look into it and put things back: RabbitMQ 4 drops from a quorum queue what was put
# back 20 times, and RabbitMQ 3 has no way to say never.
_DEAD: FieldTable = {"x-queue-type": "classic"}

_GOODBYE_SECONDS = 2.0


def log_stream(exchange: str) -> str:
    """Name the stream that keeps an exchange's events."""
    return f"{exchange}.log"


Declare = Callable[[AbstractChannel, str], Awaitable[None]]
"""Declares a part of the topology on a channel, given the name of the exchange for events."""


async def events(channel: AbstractChannel, exchange: str) -> None:
    """Declare what events need: their exchange and the log."""
    topic = await channel.declare_exchange(exchange, ExchangeType.TOPIC, durable=True)
    log = await channel.declare_queue(log_stream(exchange), durable=True, arguments=_LOG)
    await log.bind(topic, "#")


async def commands(channel: AbstractChannel, _: str) -> None:
    """Declare what commands need: the dead letters' queue first, then their exchange and queue."""
    await channel.declare_queue(DEAD_QUEUE, durable=True, arguments=_DEAD)
    direct = await channel.declare_exchange(COMMANDS, ExchangeType.DIRECT, durable=True)
    submit = await channel.declare_queue(SUBMIT_QUEUE, durable=True, arguments=_SUBMIT)
    await submit.bind(direct, SUBMIT_KEY)


def names(part: Declare, exchange: str) -> Sequence[tuple[str, str]]:
    """Name what a part declares, each with its kind."""
    if part is events:
        return ("exchange", exchange), ("queue", log_stream(exchange))
    return ("exchange", COMMANDS), ("queue", SUBMIT_QUEUE), ("queue", DEAD_QUEUE)


def described(part: Declare, exchange: str) -> Sequence[str]:
    """Say what each thing is that a part declares."""
    if part is events:
        return f"{exchange} (topic)", f"{log_stream(exchange)} (stream)"
    return (
        f"{COMMANDS} (direct)",
        f"{SUBMIT_QUEUE} (quorum)",
        f"{DEAD_QUEUE} (classic)",
    )


async def declare(connection: AbstractConnection, part: Declare, exchange: str, *, within: float) -> None:
    """Declare a part of the topology on a channel of its own: a refusal closes the channel it happens on.

    Raises whatever aio-pika does: `ChannelPreconditionFailed` where something else has the name.
    """
    async with asyncio.timeout(within):
        channel = await connection.channel(publisher_confirms=False)
        await part(channel, exchange)
        await _leave(channel)


async def missing(connection: AbstractConnection, part: Declare, exchange: str, *, within: float) -> list[str]:
    """Name what of a part is not there, declaring nothing."""
    absent = []
    for kind, name in names(part, exchange):
        async with asyncio.timeout(within):
            if not await _exists(connection, kind, name):
                absent.append(name)
    return absent


async def depth(connection: AbstractConnection, queue: str, *, within: float | None) -> int | None:
    """Count what waits in a queue; None if there is no such queue."""
    async with asyncio.timeout(within):
        channel = await connection.channel(publisher_confirms=False)
        try:
            declared = await channel.declare_queue(queue, passive=True)
        except ChannelNotFoundEntity:
            return None
        await _leave(channel)
        return declared.declaration_result.message_count


async def _exists(connection: AbstractConnection, kind: str, name: str) -> bool:
    channel = await connection.channel(publisher_confirms=False)
    try:
        if kind == "exchange":
            await channel.declare_exchange(name, passive=True)
        else:
            await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        return False
    await _leave(channel)
    return True


async def _leave(channel: AbstractChannel) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await channel.close()
