"""One bad command, or one bad reply queue, costs nobody else a command, a delivery or a reply."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

from process import metrics
from process.settings import Settings
from publisher.command_processing import Command
from publisher.replies import may_be_answered
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_KEY, SUBMIT_QUEUE
from schemas.names import EventType
from store.database import StoreUnavailable
from tests.publisher.announcing import announce
from tests.publisher.commanding import GOOD, Client, Door, all_acknowledged, consumed, dead
from tests.publisher.conftest import QUICK, OpenRoom, Room
from tests.publisher.test_undecodable import POISONS, content, publish_raw
from tests.support.broker import Broker, Inbox, subscribe
from tests.support.waiting import GIVE_UP_SECONDS, eventually


def _replies(outcome: str) -> float:
    return metrics.REGISTRY.get_sample_value("reelbus_command_replies_total", {"outcome": outcome}) or 0.0


async def _parked(broker: Broker) -> int:
    async with broker.channel() as channel:
        queue = await channel.declare_queue(DEAD_QUEUE, passive=True)
        return queue.declaration_result.message_count or 0


@asynccontextmanager
async def _full_queue(broker: Broker) -> AsyncIterator[str]:
    """Give a reply queue that refuses everything."""
    async with broker.channel() as channel:
        full = await channel.declare_queue(
            f"replies.{uuid4()}",
            exclusive=False,
            auto_delete=True,
            arguments={"x-queue-type": "classic", "x-max-length": 0, "x-overflow": "reject-publish"},
        )
        yield full.name


async def test_a_reply_queue_that_refuses_is_the_askers_loss_alone(broker: Broker, client: Client, door: Door) -> None:
    async def take_a_while(_: Command) -> None:
        await asyncio.sleep(0.05)

    door.before, before = take_a_while, _replies("refused")
    async with _full_queue(broker) as full:
        for number in range(40):
            await client.send(GOOD, message_id=f"good-{number}")
            if number % 4 == 0:
                await client.send(GOOD, message_id=f"full-{number}", reply_to=full)
        await client.replies.take(40)
        await all_acknowledged(broker)

    assert len(door.videos) == 50
    assert len(door.calls) == 50
    assert len(client.replies.messages) == 40
    assert await _parked(broker) == 0
    assert _replies("refused") == before + 10


async def test_a_refusal_whose_reply_is_refused_is_parked_with_both_reasons(broker: Broker, client: Client) -> None:
    async with _full_queue(broker) as full:
        await client.send({"image_url": "x"}, reply_to=full)
        [dead_letter] = await dead(broker).take(1)

    reason = f"invalid_request: motion is missing; and the reply could not be sent: {full} refused it"
    assert dead_letter.headers["x-reason"] == reason


async def test_nobody_can_have_us_write_into_a_queue_that_is_not_theirs(
    broker: Broker, client: Client, door: Door
) -> None:
    async with broker.channel() as channel:
        shop = await channel.declare_queue(f"shop.{uuid4()}", auto_delete=True, arguments={"x-queue-type": "classic"})
        for target in (shop.name, DEAD_QUEUE, SUBMIT_QUEUE, "video.events.log"):
            await client.send(GOOD, message_id=f"key-{target}", reply_to=target)
        await client.send({"image_url": "x"}, reply_to=shop.name)
        [dead_letter] = await dead(broker).take(1)
        await all_acknowledged(broker)

        assert await shop.get(fail=False) is None
    assert len(door.videos) == 4
    assert dead_letter.headers["x-reason"] == (
        "invalid_request: motion is missing; and the reply could not be sent: "
        f"{shop.name} is not a queue that commands may name; REELBUS_REPLY_TO_PREFIXES allows more"
    )
    assert await _parked(broker) == 0


@pytest.mark.parametrize(
    ("reply_to", "allowed"),
    [
        ("amq.rabbitmq.reply-to.g1h2.abc", True),
        ("amq.gen-JzTY20BRgKO", True),
        ("shop.replies.1", True),
        ("shop.videos", False),
        ("amq.rabbitmq.reply-to", False),
        ("amq.rabbitmq.trace", False),
        ("", False),
    ],
)
def test_which_queues_a_command_may_name(reply_to: str, *, allowed: bool) -> None:
    assert may_be_answered(reply_to, ["shop.replies."]) is allowed


async def test_direct_reply_to_is_answered(broker: Broker, client: Client, door: Door) -> None:
    answers: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    async with broker.channel() as channel:
        direct = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        await direct.consume(answers.put, no_ack=True)
        exchange = await channel.get_exchange(COMMANDS, ensure=False)
        asking = Message(json.dumps(GOOD).encode(), message_id="direct", reply_to="amq.rabbitmq.reply-to")
        await exchange.publish(asking, SUBMIT_KEY)
        async with asyncio.timeout(GIVE_UP_SECONDS):
            answer = await answers.get()

    assert json.loads(answer.body)["id"] == door.videos["direct"]
    assert client.replies.messages == []


async def test_poison_that_cannot_be_decoded_costs_no_honest_command_anything(
    broker: Broker, client: Client, door: Door, commanded: Room
) -> None:
    async with broker.channel() as channel:
        exchange = await channel.get_exchange(COMMANDS, ensure=False)
        for number in range(300):
            command = Message(json.dumps(GOOD).encode(), message_id=f"key-{number}", reply_to=client.replies.queue)
            await exchange.publish(command, SUBMIT_KEY)
            if number % 25 == 0:
                flag = list(POISONS)[number // 25 % len(POISONS)]
                header = partial(content, flag, POISONS[flag])
                await publish_raw(broker, COMMANDS, SUBMIT_KEY.encode(), header, b"{}")

    await client.replies.take(300)
    letters = await dead(broker).take(12)
    await all_acknowledged(broker)
    assert len(door.videos) == len(door.calls) == 300
    assert {dead_letter.headers["x-reason"] for dead_letter in letters} == {
        "the properties of the message cannot be decoded"
    }
    assert {dead_letter.delivery_mode for dead_letter in letters} == {DeliveryMode.PERSISTENT}
    assert commanded.state.commands is not None
    assert commanded.state.commands.last_error is None


async def test_a_link_that_is_lost_again_and_again_parks_no_honest_command(
    broker: Broker, client: Client, door: Door
) -> None:
    arrived = asyncio.Event()

    async def hang(command: Command) -> None:
        if command.message_id == "held":
            arrived.set()
            await asyncio.Event().wait()

    door.before = hang
    await client.send(GOOD, message_id="held")
    for _ in range(7):
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await arrived.wait()
        arrived.clear()
        await broker.close_all_connections()
    door.before = None
    async with asyncio.timeout(GIVE_UP_SECONDS):
        await broker.close_all_connections()

    await client.reply()
    assert door.videos.keys() == {"held"}
    assert await _parked(broker) == 0


async def test_after_a_lost_link_commands_are_taken_one_by_one_until_a_new_one_comes(
    broker: Broker, client: Client, door: Door
) -> None:
    at_once, most, go_on = 0, 0, asyncio.Event()

    async def count(_: Command) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            await go_on.wait()
        finally:
            at_once -= 1

    door.before = count
    for number in range(10):
        await client.send(GOOD, message_id=f"key-{number}")
    await eventually(lambda: most == 10)
    most = 0
    await broker.close_all_connections()
    await eventually(lambda: at_once == 0)
    await consumed(broker)
    await eventually(lambda: at_once == 1)
    await client.send(GOOD, message_id="new")
    assert most == 1
    go_on.set()

    await client.replies.take(11)
    assert await _parked(broker) == 0


async def test_while_the_store_is_away_nothing_is_consumed_and_an_outage_costs_one_delivery(
    broker: Broker, client: Client, door: Door, commanded: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, checks = True, 0

    async def without_store(_: Command) -> None:
        if away:
            raise StoreUnavailable("the disk is full")

    async def check(*_: object, **__: object) -> bool:
        nonlocal checks
        checks += away
        if away:
            raise StoreUnavailable("the disk is full")
        return True

    monkeypatch.setattr(commanded.store, "write_unsynced", check)
    door.before = without_store
    await client.send(GOOD, message_id="key-1")
    await eventually(lambda: checks > 5)
    await client.send(GOOD, message_id="key-2")
    await eventually(lambda: checks > 10)

    async def waiting() -> bool:
        rows = await broker.ctl("list_queues", "name", "messages_ready", "consumers")
        return f"{SUBMIT_QUEUE}\t2\t0" in rows

    await eventually(waiting)
    away = False
    await client.replies.take(2)
    assert door.videos.keys() == {"key-1", "key-2"}
    assert await _parked(broker) == 0


async def test_large_commands_are_in_hand_one_by_one(
    broker: Broker, settings: Settings, open_room: OpenRoom, door: Door
) -> None:
    await open_room(settings, handler=door, timing=replace(QUICK, hand_bytes=1_000))
    await consumed(broker)
    at_once, most = 0, 0

    async def count(_: Command) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1

    door.before = count
    client = Client(broker, Inbox(broker, ""))
    for number in range(10):
        await client.send({**GOOD, "prompt": "x" * 2000}, answer=False, message_id=f"key-{number}")
    await all_acknowledged(broker)
    assert most == 1
    assert len(door.videos) == 10


async def test_a_wrong_declaration_stops_the_commands_and_not_the_events(
    broker: Broker, settings: Settings, open_room: OpenRoom, door: Door
) -> None:
    async with broker.channel() as channel:
        await channel.declare_queue(SUBMIT_QUEUE, durable=True, arguments={"x-queue-type": "classic"})
    room = await open_room(settings, handler=door)
    inbox = await subscribe(broker, settings.exchange)
    announced = await announce(room.store, EventType.READY)

    await inbox.take(1)
    assert inbox.ids == [announced]
    assert room.state.connected
    await eventually(lambda: room.state.commands is not None and room.state.commands.last_error is not None)
    assert room.state.commands is not None
    assert "the topology does not match" in str(room.state.commands.last_error)
    assert SUBMIT_QUEUE in str(room.state.commands.last_error)
