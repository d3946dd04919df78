"""The doctor says what is wrong with the broker or the topology, and how to mend it, and changes nothing."""

from process.settings import Settings
from publisher.doctor import probe
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_QUEUE, log_stream
from tests.broker import Broker
from tests.publisher.conftest import QUICK, OpenRoom, Room


async def test_all_is_well_where_a_room_runs(room: Room) -> None:
    broker, topology = await probe(room.settings, pace=QUICK)
    assert (broker.name, broker.ok) == ("broker", True)
    assert (topology.name, topology.ok, topology.mend) == ("topology", True, "")


async def test_a_broker_that_is_not_there_is_the_only_finding(broker: Broker) -> None:
    nowhere = broker.settings(amqp_url="amqp://guest:guest@127.0.0.1:1/")
    [check] = await probe(nowhere, pace=QUICK)
    assert (check.name, check.ok, check.detail) == ("broker", False, "the broker cannot be reached")
    assert "REELBUS_AMQP_URL" in check.mend


async def test_wrong_credentials_are_told_from_a_missing_broker(broker: Broker) -> None:
    wrong = broker.settings(amqp_url=broker.url.replace("guest:guest", "guest:sesame"))
    [check] = await probe(wrong, pace=QUICK)
    assert check.detail == "the broker refused our credentials"


async def test_a_missing_topology_is_named_and_not_made(settings: Settings) -> None:
    for _ in range(2):
        _, check = await probe(settings, pace=QUICK)
        assert not check.ok
        wanted = [settings.exchange, log_stream(settings.exchange), COMMANDS, SUBMIT_QUEUE, DEAD_QUEUE]
        assert check.detail == f"missing: {', '.join(wanted)}"


async def test_something_else_of_that_name_is_told(broker: Broker, settings: Settings, open_room: OpenRoom) -> None:
    room = await open_room(settings)
    await room.stopped()
    async with broker.channel() as channel:
        await channel.exchange_delete(settings.exchange)
        await channel.declare_exchange(settings.exchange, "fanout", durable=True)

    _, check = await probe(settings, pace=QUICK)
    assert not check.ok
    assert "inequivalent arg 'type'" in check.detail
