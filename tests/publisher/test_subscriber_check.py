"""`check-subscriber` passes a subscriber that stands what a bus may bring, and says what a weak one should mend."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from publisher.subscriber_check import NoSuchQueue, Verdict, check_subscriber
from tests.support.broker import Broker, close

pytestmark = pytest.mark.timeout(240)

Take = Callable[[AbstractIncomingMessage], Awaitable[None]]
KNOWN = {"video.ready", "video.failed", "video.late", "video.fallback", "video.submitted"}


@asynccontextmanager
async def subscribing(broker: Broker, queue: str, take: Take | None) -> AsyncIterator[None]:
    """Consume a queue with a dead-letter queue, subscribing again whenever the connection ends."""
    async with broker.channel() as channel:
        await channel.declare_queue(f"{queue}.dead", durable=True)
        arguments: dict[str, Any] = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{queue}.dead"}
        await channel.declare_queue(queue, durable=True, arguments=arguments)
    subscribed = asyncio.Event()

    async def consume() -> None:
        while True:
            connection = await aio_pika.connect(broker.url)
            try:
                channel = await connection.channel()
                await channel.set_qos(prefetch_count=20)
                consumed = await channel.get_queue(queue, ensure=False)
                async with consumed.iterator() as messages:
                    subscribed.set()
                    async for message in messages:
                        assert take is not None
                        await take(message)
            except RuntimeError:
                pass
            finally:
                await close(connection)
            await asyncio.sleep(1)  # who leaves is away for as long as the examples are

    task = asyncio.create_task(consume()) if take else None
    try:
        if task is not None:
            await subscribed.wait()
        yield
    finally:
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with broker.channel() as channel:
            for name in (queue, f"{queue}.dead"):
                await channel.queue_delete(name)


async def checked(broker: Broker, take: Take | None) -> tuple[bool, dict[str, Verdict]]:
    verdicts: list[Verdict] = []
    async with subscribing(broker, "shop.checked", take):
        stood = await check_subscriber(
            broker.settings(), "shop.checked", tell=verdicts.append, taken_within=6.0, held_for=0.5
        )
    return stood, {verdict.name: verdict for verdict in verdicts}


def read(message: AbstractIncomingMessage) -> Any:
    return json.loads(message.body)


async def robust(message: AbstractIncomingMessage) -> None:
    try:
        read(message)
    except ValueError:
        await message.reject(requeue=False)
    else:
        await message.ack()


async def test_a_subscriber_that_stands_everything_passes(broker: Broker) -> None:
    stood, verdicts = await checked(broker, robust)
    assert stood
    assert all(verdict.ok for verdict in verdicts.values())
    assert {"duplicate", "late event", "unknown type", "not JSON", "acknowledgements"} <= verdicts.keys()


async def test_one_that_leaves_at_an_unknown_type_is_told_so(broker: Broker) -> None:
    async def fragile(message: AbstractIncomingMessage) -> None:
        await robust(message)
        with suppress(ValueError):
            if read(message)["type"] not in KNOWN:
                raise RuntimeError

    stood, verdicts = await checked(broker, fragile)
    assert not stood
    assert "left" in verdicts["unknown type"].mend
    assert verdicts["duplicate"].ok


async def test_one_that_puts_back_what_it_cannot_read_is_told_so(broker: Broker) -> None:
    async def stubborn(message: AbstractIncomingMessage) -> None:
        with suppress(ValueError):
            read(message)
            return await message.ack()
        await asyncio.sleep(0.02)
        return await message.reject(requeue=True)

    stood, verdicts = await checked(broker, stubborn)
    assert not stood
    assert not verdicts["not JSON"].ok


async def test_one_that_rejects_late_events_is_told_where_they_went(broker: Broker) -> None:
    async def picky(message: AbstractIncomingMessage) -> None:
        with suppress(ValueError):
            if read(message)["type"] == "video.late":
                return await message.reject(requeue=False)
        return await robust(message)

    stood, verdicts = await checked(broker, picky)
    assert not stood
    assert "shop.checked.dead" in verdicts["late event"].mend


async def test_one_that_acknowledges_nothing_is_told_so(broker: Broker) -> None:
    async def hoarding(_: AbstractIncomingMessage) -> None:
        await asyncio.sleep(0)

    stood, verdicts = await checked(broker, hoarding)
    assert not stood
    assert "acknowledge" in verdicts["acknowledgements"].mend


async def test_without_a_subscriber_or_a_queue_it_says_so(broker: Broker) -> None:
    stood, verdicts = await checked(broker, None)
    assert not stood
    assert "nobody consumes" in verdicts["subscribed"].mend
    with pytest.raises(NoSuchQueue):
        await check_subscriber(broker.settings(), "shop.nowhere", tell=print)


async def test_its_own_letters_do_not_stay_in_the_dead_letter_queue(broker: Broker) -> None:
    async with subscribing(broker, "shop.tidy", robust):
        async with broker.channel() as channel:
            await channel.default_exchange.publish(aio_pika.Message(b"somebody's own"), "shop.tidy.dead")
        await check_subscriber(broker.settings(), "shop.tidy", tell=lambda _: None, taken_within=6.0, held_for=0.3)
        async with broker.channel() as channel:
            depth = (await channel.declare_queue("shop.tidy.dead", passive=True)).declaration_result.message_count or 0
    assert depth == 1
