"""Every command ends in exactly one of: accepted and answered, refused and answered, or parked with its reason."""

import asyncio
import json

from aio_pika import DeliveryMode

from publisher.command_processing import Command
from publisher.topology import SUBMIT_QUEUE
from schemas.trace import NO_TRACE, Trace
from store.database import StoreUnavailable
from tests.publisher.commanding import GOOD, PROBLEM, Client, Door, all_acknowledged, consumed, dead
from tests.publisher.conftest import Room
from tests.support.broker import Broker


async def test_an_accepted_command_is_answered_with_the_video(broker: Broker, client: Client, door: Door) -> None:
    await client.send(GOOD, message_id="key-1", correlation_id="mine", content_type="application/json")
    message, document = await client.reply()

    assert document == {"id": door.videos["key-1"], "status": "accepted"}
    assert message.correlation_id == "mine"
    assert message.content_type == "application/json"
    assert door.calls == [Command(json.dumps(GOOD).encode(), "key-1", "application/json")]
    await all_acknowledged(broker)


async def test_a_command_brings_its_trace_in_its_headers(client: Client, door: Door) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await client.send(GOOD, message_id="key-1", headers={"traceparent": parent, "tracestate": "vendor=1"})
    await client.send(GOOD, message_id="key-2", headers={"traceparent": 7})
    for _ in range(2):
        await client.reply()

    assert {call.message_id: call.trace for call in door.calls} == {
        "key-1": Trace(parent, "vendor=1"),
        "key-2": NO_TRACE,
    }


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
    [dead_letter] = await dead(broker).take(1)

    assert dead_letter.headers["x-reason"] == "invalid_request: motion is missing"
    assert dead_letter.headers["shop"] == "north"
    assert dead_letter.message_id == "key-2"
    assert json.loads(dead_letter.body) == {"image_url": "x"}
    await all_acknowledged(broker)


async def test_a_body_that_is_no_json_object_is_parked_even_with_a_reply_address(
    broker: Broker, client: Client
) -> None:
    bodies = [b"", b"hello", b"\xff\xfe", b'{"a": 1']
    for body in bodies:
        await client.send(body)
    letters = await dead(broker).take(len(bodies))

    reason = "the body is not a JSON object: bad_request: the body is not JSON"
    assert {dead_letter.headers["x-reason"] for dead_letter in letters} == {reason}
    assert sorted(dead_letter.body for dead_letter in letters) == sorted(bodies)
    assert not client.replies.messages
    await all_acknowledged(broker)


async def test_a_reply_queue_that_has_gone_does_not_matter(broker: Broker, client: Client, door: Door) -> None:
    await client.send(GOOD, message_id="key-3", reply_to="replies.gone")
    await client.send(GOOD, message_id="key-4")
    await client.reply()

    await all_acknowledged(broker)
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
    await all_acknowledged(broker)


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

    [dead_letter] = await dead(broker).take(1)
    assert dead_letter.message_id == "poison"
    assert dead_letter.headers["x-reason"] == "failed at 4 deliveries, last with RuntimeError: a bug"
    assert dead_letter.delivery_mode is DeliveryMode.PERSISTENT
    assert [command.message_id for command in door.calls].count("poison") == 4


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
    await all_acknowledged(broker)


async def test_a_deleted_command_queue_comes_back_with_its_consumer(broker: Broker, client: Client, door: Door) -> None:
    async with broker.channel() as channel:
        await channel.queue_delete(SUBMIT_QUEUE)

    await consumed(broker)
    await client.send(GOOD, message_id="key-8")
    await client.reply()
    assert door.videos.keys() == {"key-8"}


async def test_stopping_finishes_what_is_in_hand(broker: Broker, client: Client, commanded: Room, door: Door) -> None:
    arrived = asyncio.Event()

    async def delay(_: Command) -> None:
        arrived.set()
        await asyncio.sleep(0.3)

    door.before = delay
    await client.send(GOOD, message_id="key-9")
    await arrived.wait()
    await commanded.stopped()

    _, document = await client.reply()
    assert document["id"] == door.videos["key-9"]
    await all_acknowledged(broker)


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
