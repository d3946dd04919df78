"""A binding takes the routing keys that RabbitMQ would take by it."""

import secrets

import pytest
from aio_pika import ExchangeType, Message
from aio_pika.exceptions import PublishError

from publisher.binding import takes
from tests.support.broker import Broker

KEYS = ["video", "video.ready", "video.ready.iacrea", "video.failed.none", "ready.video", "a.b.c.d"]
BINDINGS = [
    "#",
    "*",
    "video",
    "video.#",
    "video.*",
    "video.*.*",
    "video.ready.*",
    "*.ready.#",
    "#.iacrea",
    "#.ready.#",
    "#.#",
    "*.#",
    "#.*",
    "video.#.none",
    "video.#.#.iacrea",
    "*.*.#.*",
    "",
]


@pytest.mark.parametrize(
    ("binding", "key"),
    [
        ("video.#", "video.ready.iacrea"),
        ("video.#", "video"),
        ("#", "anything.at.all"),
        ("video.*.iacrea", "video.ready.iacrea"),
        ("#.iacrea", "iacrea"),
        ("video.#.iacrea", "video.iacrea"),
    ],
)
def test_it_takes(binding: str, key: str) -> None:
    assert takes(binding, key)


@pytest.mark.parametrize(
    ("binding", "key"),
    [
        ("video.*", "video.ready.iacrea"),
        ("video.*", "video"),
        ("video.ready.iacrea", "video.ready.homedesigns"),
        ("*.iacrea", "video.ready.iacrea"),
        ("video", "video.ready"),
    ],
)
def test_it_does_not_take(binding: str, key: str) -> None:
    assert not takes(binding, key)


async def test_the_broker_agrees_on_every_pair(broker: Broker) -> None:
    async with broker.channel() as channel:
        for binding in BINDINGS:
            name = f"test.{secrets.token_hex(6)}"
            exchange = await channel.declare_exchange(name, ExchangeType.TOPIC, auto_delete=True)
            queue = await channel.declare_queue(exclusive=True, arguments={"x-queue-type": "classic"})
            await queue.bind(exchange, binding)
            for key in KEYS:
                try:
                    await exchange.publish(Message(b""), key)
                    taken = True
                except PublishError:
                    taken = False
                assert takes(binding, key) == taken, (binding, key)
            await queue.delete(if_empty=False)
