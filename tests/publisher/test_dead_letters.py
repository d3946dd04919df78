"""What is parked can be seen and put back, and is never lost on the way."""

import asyncio
import json
from typing import Any

import pytest
from aio_pika import DeliveryMode, Message
from typer.testing import CliRunner

from process import metrics
from process.settings import Settings
from publisher import dead_letters
from publisher.dead_letters import DeadLettersUnavailable, drop, listed, requeue
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_KEY, SUBMIT_QUEUE
from reelbus.cli import app
from schemas.names import EventType
from store.database import Store
from tests.publisher.announcing import announce
from tests.publisher.commanding import GOOD, Client, Door, all_acknowledged, dead
from tests.publisher.conftest import QUICK, Room
from tests.support.broker import Broker, subscribe
from tests.support.waiting import eventually

_QUEUE = f'amqqueue:get_pid(element(2, rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"{DEAD_QUEUE}">>))))'
"""The process that is the queue, as the broker's own language names it."""


def _reconnects() -> float | None:
    return metrics.REGISTRY.get_sample_value("reelbus_broker_reconnects_total", {"link": "relay"})


async def _letters(broker: Broker, *bodies: bytes, **properties: Any) -> None:
    async with broker.channel() as channel:
        for number, body in enumerate(bodies):
            dead_letter = Message(body, message_id=f"m-{number}", **properties)
            await channel.default_exchange.publish(dead_letter, DEAD_QUEUE)


async def test_a_list_tells_why_and_leaves_everything_where_it_is(broker: Broker, commanded: Room) -> None:
    await eventually(lambda: commanded.state.dead_letters == 0)
    await _letters(broker, b"one", b"two\x1b[2J", b"three", headers={"x-reason": "because"})

    for _ in range(2):
        letters = await listed(commanded.settings, limit=2, timing=QUICK)
        assert [dead_letter.beginning for dead_letter in letters] == [b"one", b"two\x1b[2J"]
        assert [dead_letter.reason for dead_letter in letters] == ["because"] * 2
        assert [dead_letter.size for dead_letter in letters] == [3, 7]
    assert [dead_letter.message_id for dead_letter in await listed(commanded.settings, limit=9, timing=QUICK)] == [
        "m-0",
        "m-1",
        "m-2",
    ]


async def test_a_queue_of_which_nobody_knows_anything_is_no_reason_to_leave_the_broker(
    broker: Broker, store: Store, room: Room
) -> None:
    """As where the node of that queue is parted from the one that we speak to."""
    inbox = await subscribe(broker, room.settings.exchange)
    async with broker.channel() as channel:
        await channel.declare_queue(DEAD_QUEUE, durable=True, arguments={"x-queue-type": "classic"})
    await eventually(lambda: room.state.dead_letters == 0)
    before = _reconnects()

    await broker.ctl("eval", f"sys:suspend({_QUEUE}).")
    try:
        await eventually(lambda: room.state.dead_letters is None)
        await asyncio.sleep(QUICK.declare + QUICK.topology)  # longer than any answer is waited for
        await announce(store, EventType.READY)
        await inbox.take(1)
    finally:
        await broker.ctl("eval", f"sys:resume({_QUEUE}).")
    await eventually(lambda: room.state.dead_letters == 0)
    assert _reconnects() == before


async def test_what_is_dropped_is_gone_and_the_others_stay(broker: Broker, commanded: Room) -> None:
    await eventually(lambda: commanded.state.dead_letters == 0)
    await _letters(broker, b"one", b"two", b"three")
    assert await drop(commanded.settings, ["m-1", "nothing"], timing=QUICK) == {"m-1"}
    left = await listed(commanded.settings, limit=9, timing=QUICK)
    assert [dead_letter.beginning for dead_letter in left] == [b"one", b"three"]


async def test_what_is_put_back_is_handled_as_if_it_came_anew(broker: Broker, client: Client, door: Door) -> None:
    broken = True

    async def fail(_: object) -> None:
        if broken:
            raise RuntimeError("a bug")

    door.before = fail
    await client.send(GOOD, message_id="key-1", headers={"shop": "north"}, delivery_mode=DeliveryMode.NOT_PERSISTENT)
    settings = broker.settings(reply_to_prefixes=("replies.",))

    async def parked() -> bool:
        return len(await listed(settings, limit=5, timing=QUICK)) == 1

    await eventually(parked)
    [dead_letter] = await listed(settings, limit=5, timing=QUICK)
    assert dead_letter.parked_at is not None
    assert dead_letter.reason == "failed at 4 deliveries, last with RuntimeError: a bug"

    broken = False
    assert await requeue(settings, ["nothing", dead_letter.letter_id], timing=QUICK) == {dead_letter.letter_id}
    _, document = await client.reply()
    assert document["id"] == door.videos["key-1"]
    await all_acknowledged(broker)
    assert await listed(settings, limit=5, timing=QUICK) == []


async def test_all_are_put_back_persistent_and_without_the_marks_of_their_journey(
    broker: Broker, commanded: Room
) -> None:
    await commanded.stopped()
    travelled: dict[str, Any] = {"x-reason": "r", "x-delivery-count": 9, "shop": "north"}
    await _letters(broker, b"1", b"2", b"3", headers=travelled)

    assert len(await requeue(commanded.settings, None, timing=QUICK)) == 3
    async with broker.channel() as channel:
        queue = await channel.get_queue(SUBMIT_QUEUE, ensure=False)
        messages = [await queue.get() for _ in range(3)]
        assert [message.body for message in messages] == [b"1", b"2", b"3"]
        marks = [dict(message.headers) for message in messages]
        assert {mark.pop("x-delivery-count", 0) for mark in marks} == {0}  # which the queue itself may add
        assert marks == [{"shop": "north"}] * 3
        assert all(message.delivery_mode is DeliveryMode.PERSISTENT for message in messages)
        await queue.purge()


async def test_what_cannot_be_put_back_stays_parked(broker: Broker, commanded: Room) -> None:
    await commanded.stopped()
    await _letters(broker, b"1")
    async with broker.channel() as channel:
        await (await channel.get_queue(SUBMIT_QUEUE, ensure=False)).unbind(COMMANDS, SUBMIT_KEY)

    with pytest.raises(DeadLettersUnavailable, match="0 were put back"):
        await requeue(commanded.settings, None, timing=QUICK)
    await dead(broker).take(1)


async def test_the_commands_speak_of_a_broker_that_is_away(broker: Broker) -> None:
    nowhere = broker.settings(amqp_url="amqp://guest:guest@127.0.0.1:1/")
    with pytest.raises(DeadLettersUnavailable, match="the broker cannot be reached"):
        await listed(nowhere, limit=1, timing=QUICK)


def test_the_command_line_lists_and_puts_back(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reelbus.dead.settings_or_exit", lambda: settings)
    dead_letter = dead_letters.DeadLetter("abc", "m\x1b", "why\n", None, 3, b"\x1b[2J")

    async def letters(*_: object, **__: object) -> list[dead_letters.DeadLetter]:
        return [dead_letter]

    async def back(_: Settings, wanted: object) -> set[str]:
        return {"abc"} if wanted is None or "abc" in wanted else set()  # type: ignore[operator]

    monkeypatch.setattr("reelbus.dead.listed", letters)
    monkeypatch.setattr("reelbus.dead.requeue", back)
    run = CliRunner().invoke
    shown = run(app, ["dead", "list"])
    assert shown.exit_code == 0
    assert "abc" in shown.output
    assert "\x1b" not in shown.output
    assert json.loads(json.dumps(run(app, ["dead", "requeue", "abc"]).stdout)) == "abc\n"
    assert run(app, ["dead", "requeue", "--all"]).exit_code == 0
    assert run(app, ["dead", "requeue", "xyz"]).exit_code == 4
    assert run(app, ["dead", "requeue"]).exit_code == 2
    assert run(app, ["dead", "requeue", "abc", "--all"]).exit_code == 2
