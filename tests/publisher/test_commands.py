"""Every command ends in exactly one of: accepted and answered, refused and answered, or parked with its reason."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from process.settings import Settings
from publisher.commands import Command, Reply
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_KEY, SUBMIT_QUEUE
from store.database import StoreUnavailable
from tests.broker import Broker, Inbox, eventually
from tests.publisher.conftest import OpenRoom, Room

GOOD = {"image_url": "https://images.example/room.jpg", "motion": "zoom_in"}
PROBLEM = {"code": "invalid_request", "detail": "motion is missing", "status": 422}


@dataclass
class Door:
    """A handler that accepts what has a motion, one video for each message id."""

    calls: list[Command] = field(default_factory=list)
    videos: dict[str | None, str] = field(default_factory=dict)
    before: Callable[[Command], Awaitable[None]] | None = None

    async def __call__(self, command: Command) -> Reply:
        self.calls.append(command)
        if self.before is not None:
            await self.before(command)
        if "motion" not in json.loads(command.body):
            return Reply(PROBLEM, accepted=False)
        video_id = self.videos.setdefault(command.message_id, str(uuid4()))
        return Reply({"id": video_id, "status": "accepted"}, accepted=True)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest_asyncio.fixture
async def room(open_room: OpenRoom, settings: Settings, door: Door) -> Room:
    return await open_room(settings, handler=door)


@dataclass
class Client:
    """A microservice: it publishes commands and reads the replies."""

    broker: Broker
    replies: Inbox

    async def send(self, body: object, *, answer: bool = True, **properties: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if answer:
            properties.setdefault("reply_to", self.replies.queue)
        async with self.broker.channel() as channel:
            exchange = await channel.get_exchange(COMMANDS, ensure=False)
            await exchange.publish(Message(raw, **properties), SUBMIT_KEY)

    async def reply(self) -> tuple[AbstractIncomingMessage, Any]:
        await self.replies.take(len(self.replies.messages) + 1)
        message = self.replies.messages[-1]
        return message, json.loads(message.body)


async def _consumed(broker: Broker) -> None:
    """Wait until the room takes commands."""

    async def there() -> bool:
        async with broker.channel() as channel:
            with suppress(ChannelNotFoundEntity):
                queue = await channel.declare_queue(SUBMIT_QUEUE, passive=True)
                return bool(queue.declaration_result.consumer_count)
        return False

    await eventually(there)


@pytest_asyncio.fixture
async def client(broker: Broker, room: Room) -> Client:
    assert room.settings.amqp_url.get_secret_value() == broker.url
    await _consumed(broker)
    async with broker.channel() as channel:
        queue = await channel.declare_queue(f"replies.{uuid4()}", durable=True, arguments={"x-queue-type": "classic"})
    return Client(broker, Inbox(broker, queue.name))


def _dead(broker: Broker) -> Inbox:
    return Inbox(broker, DEAD_QUEUE)


async def _all_acknowledged(broker: Broker) -> None:
    async def none_left() -> bool:
        rows = await broker.ctl("list_queues", "name", "messages")
        return f"{SUBMIT_QUEUE}\t0" in rows

    await eventually(none_left)


async def test_an_accepted_command_is_answered_with_the_video(broker: Broker, client: Client, door: Door) -> None:
    await client.send(GOOD, message_id="key-1", correlation_id="mine", content_type="application/json")
    message, document = await client.reply()

    assert document == {"id": door.videos["key-1"], "status": "accepted"}
    assert message.correlation_id == "mine"
    assert message.content_type == "application/json"
    assert door.calls == [Command(json.dumps(GOOD).encode(), "key-1", "application/json")]
    await _all_acknowledged(broker)


async def test_the_same_message_id_again_is_the_same_video(client: Client, door: Door) -> None:
    for _ in range(3):
        await client.send(GOOD, message_id="key-1")
    answers = [(await client.reply())[1]["id"] for _ in range(3)]

    assert answers == [door.videos["key-1"]] * 3


async def test_a_refused_command_is_answered_with_the_problem(client: Client) -> None:
    await client.send({"image_url": "x"}, correlation_id="mine")
    message, document = await client.reply()

    assert document == PROBLEM
    assert message.content_type == "application/problem+json"
    assert message.correlation_id == "mine"


async def test_a_refused_command_that_wants_no_answer_is_parked_with_the_reason(broker: Broker, client: Client) -> None:
    await client.send({"image_url": "x"}, answer=False, message_id="key-2", headers={"shop": "north"})
    [letter] = await _dead(broker).take(1)

    assert letter.headers["x-reason"] == "invalid_request: motion is missing"
    assert letter.headers["shop"] == "north"
    assert letter.message_id == "key-2"
    assert json.loads(letter.body) == {"image_url": "x"}
    await _all_acknowledged(broker)


async def test_a_body_that_is_no_json_object_is_parked_even_with_a_reply_address(
    broker: Broker, client: Client, door: Door
) -> None:
    cut_off, deep = b'{"a": 1', b"[" * 100_000
    bodies = [b"", b"hello", b"[1, 2]", b'"text"', b"null", b"\xff\xfe", b'{"a": NaN}', cut_off, deep]
    for body in bodies:
        await client.send(body)
    letters = await _dead(broker).take(len(bodies))

    assert {letter.headers["x-reason"] for letter in letters} == {"the body is not a JSON object"}
    assert sorted(letter.body for letter in letters) == sorted(bodies)
    assert door.calls == []
    await _all_acknowledged(broker)


async def test_a_reply_queue_that_has_gone_does_not_matter(broker: Broker, client: Client, door: Door) -> None:
    await client.send(GOOD, message_id="key-3", reply_to="no.such.queue")
    await client.send(GOOD, message_id="key-4")
    await client.reply()

    await _all_acknowledged(broker)
    assert door.videos.keys() == {"key-3", "key-4"}


async def test_a_command_waits_while_the_store_is_away_and_is_not_counted_as_poison(
    broker: Broker, client: Client, door: Door
) -> None:
    tries = 0

    async def away_eight_times(_: Command) -> None:
        nonlocal tries
        tries += 1
        if tries <= 8:
            raise StoreUnavailable("database is locked")

    door.before = away_eight_times
    await client.send(GOOD, message_id="key-5")
    _, document = await client.reply()

    assert document["id"] == door.videos["key-5"]
    assert tries == 9
    await _all_acknowledged(broker)


async def test_a_command_that_breaks_the_handler_is_parked_and_holds_up_no_other(
    broker: Broker, client: Client, door: Door
) -> None:
    async def break_on_poison(command: Command) -> None:
        if command.message_id == "poison":
            raise RuntimeError("a bug")

    door.before = break_on_poison
    await client.send(GOOD, answer=False, message_id="poison")
    await client.send(GOOD, message_id="key-6")
    await client.reply()

    [letter] = await _dead(broker).take(1)
    assert letter.message_id == "poison"
    assert [command.message_id for command in door.calls].count("poison") == 6


async def test_a_command_whose_connection_was_lost_in_hand_is_taken_again(
    broker: Broker, client: Client, door: Door
) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Command) -> None:
        arrived.set()
        await go_on.wait()

    door.before = hold
    await client.send(GOOD, message_id="key-7")
    await arrived.wait()
    await broker.close_all_connections()
    go_on.set()

    _, document = await client.reply()
    assert document["id"] == door.videos["key-7"]
    await _all_acknowledged(broker)


async def test_a_deleted_command_queue_comes_back_with_its_consumer(broker: Broker, client: Client, door: Door) -> None:
    async with broker.channel() as channel:
        await channel.queue_delete(SUBMIT_QUEUE)

    await _consumed(broker)
    await client.send(GOOD, message_id="key-8")
    await client.reply()
    assert door.videos.keys() == {"key-8"}


async def test_stopping_finishes_what_is_in_hand(broker: Broker, client: Client, room: Room, door: Door) -> None:
    arrived = asyncio.Event()

    async def dawdle(_: Command) -> None:
        arrived.set()
        await asyncio.sleep(0.3)

    door.before = dawdle
    await client.send(GOOD, message_id="key-9")
    await arrived.wait()
    await room.stopped()

    _, document = await client.reply()
    assert document["id"] == door.videos["key-9"]
    await _all_acknowledged(broker)


async def test_many_commands_are_handled_at_once(client: Client, door: Door) -> None:
    together = asyncio.Event()

    async def wait_for_twenty(_: Command) -> None:
        if len(door.calls) == 20:
            together.set()
        await together.wait()

    door.before = wait_for_twenty
    for number in range(20):
        await client.send(GOOD, message_id=f"key-{number}")
    await client.replies.take(20)
    assert len(door.videos) == 20
