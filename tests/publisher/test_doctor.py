"""The doctor says what is wrong with the broker or the topology, and how to mend it, and changes nothing."""

import re

import pytest_asyncio
from aio_pika import Message

from intake.commands import Reply
from process.settings import Settings
from publisher.command_processing import Command
from publisher.doctor import probe
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_QUEUE, log_stream
from tests.publisher.conftest import QUICK, OpenRoom, Room
from tests.support.broker import Broker
from tests.support.waiting import eventually


@pytest_asyncio.fixture
async def room(open_room: OpenRoom, settings: Settings) -> Room:
    async def refuse(_: Command) -> Reply:
        return Reply({}, accepted=False)

    opened = await open_room(settings, handler=refuse)
    await eventually(lambda: opened.state.commands is not None and opened.state.commands.connected)
    return opened


async def test_all_is_well_where_a_room_runs(room: Room) -> None:
    checks = await probe(room.settings, timing=QUICK)
    assert [check.name for check in checks] == ["broker", "topology", "commands", "dead letters"]
    assert all(check.ok and not check.mend for check in checks)
    assert re.fullmatch(r"lets us in: RabbitMQ \d+\.\d+\.\d+", checks[0].detail)
    assert f"{log_stream(room.settings.exchange)} (stream)" in checks[1].detail
    assert f"{SUBMIT_QUEUE} (quorum)" in checks[2].detail


async def test_a_broker_that_is_not_there_is_the_only_finding(broker: Broker) -> None:
    nowhere = broker.settings(amqp_url="amqp://guest:guest@127.0.0.1:1/")
    [check] = await probe(nowhere, timing=QUICK)
    assert (check.name, check.ok, check.detail) == ("broker", False, "the broker cannot be reached")
    assert "REELBUS_AMQP_URL" in check.mend


async def test_wrong_credentials_are_told_from_a_missing_broker(broker: Broker) -> None:
    wrong = broker.settings(amqp_url=broker.url.replace("guest:guest", "guest:sesame"))
    [check] = await probe(wrong, timing=QUICK)
    assert check.detail == "the broker refused our credentials"


async def test_a_missing_topology_is_named_and_not_made(settings: Settings) -> None:
    for _ in range(2):
        _, events, commands, letters = await probe(settings, timing=QUICK)
        assert not events.ok
        assert not commands.ok
        assert events.detail == f"missing: {settings.exchange}, {log_stream(settings.exchange)}"
        assert commands.detail == f"missing: {COMMANDS}, {SUBMIT_QUEUE}, {DEAD_QUEUE}"
        assert letters.ok


async def test_parked_commands_are_counted(broker: Broker, room: Room) -> None:
    async with broker.channel() as channel:
        for _ in range(3):
            await channel.default_exchange.publish(Message(b"x"), DEAD_QUEUE)

    *_, letters = await probe(room.settings, timing=QUICK)
    assert letters.detail == "3 commands are parked: see `reelbus dead list`"
    await eventually(lambda: room.state.dead_letters == 3)


async def test_something_else_of_that_name_is_told(broker: Broker, settings: Settings, open_room: OpenRoom) -> None:
    room = await open_room(settings)
    await room.stopped()
    async with broker.channel() as channel:
        await channel.exchange_delete(settings.exchange)
        await channel.declare_exchange(settings.exchange, "fanout", durable=True)

    _, check, *_ = await probe(settings, timing=QUICK)
    assert not check.ok
    assert "inequivalent arg 'type'" in check.detail
