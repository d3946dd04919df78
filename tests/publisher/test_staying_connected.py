"""A process that publishes nothing still knows whether the broker is there, and has the topology declared."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from aio_pika import Connection
from aio_pika.exceptions import AMQPConnectionError

from process import metrics
from process.settings import Settings, WrongSettings
from publisher import supervisor
from publisher.broker_state import BrokerState
from publisher.connect import connect
from publisher.connection import BrokerConnection
from publisher.connection_errors import ConnectionLost, reason
from publisher.doctor import probe
from publisher.run import stay_connected
from publisher.supervisor import link, supervise
from publisher.timing import TIMING
from tests.publisher.conftest import QUICK
from tests.support.broker import Broker
from tests.support.tcp_relay import relay
from tests.support.waiting import GIVE_UP_SECONDS, eventually


def test_it_is_tried_again_soon_enough_to_publish_within_ten_seconds_of_the_brokers_return() -> None:
    longest = max(supervisor._backoff(failures, TIMING) for failures in (1, 10, 10_000))
    assert longest <= TIMING.backoff_max
    assert TIMING.backoff_max + TIMING.outbox_poll < 10


def _metric() -> float | None:
    return metrics.REGISTRY.get_sample_value("reelbus_broker_connected")


async def test_its_state_and_the_metric_follow_the_broker(broker: Broker, settings: Settings) -> None:
    state, stop = BrokerState(), asyncio.Event()
    task = asyncio.create_task(stay_connected(settings, state, stop, timing=QUICK))
    await eventually(lambda: state.connected)
    assert _metric() == 1
    broker_check, events, *_ = await probe(settings, timing=QUICK)
    assert broker_check.ok
    assert events.ok

    await broker.kill()
    await eventually(lambda: not state.connected)
    assert _metric() == 0
    await broker.start()
    await eventually(lambda: state.connected)

    stop.set()
    async with asyncio.timeout(5):
        await task


async def test_of_several_addresses_the_first_that_lets_us_in_is_used(broker: Broker) -> None:
    several = broker.settings(amqp_url=f"amqp://guest:guest@127.0.0.1:1/, {broker.url}")
    connection = await connect(several, QUICK, name="test")
    assert not connection.is_closed
    await connection.close()


async def test_where_none_of_several_addresses_lets_us_in_it_says_so_without_them(broker: Broker) -> None:
    nowhere = broker.settings(amqp_url="amqp://a:canary@127.0.0.1:1/,amqp://b:canary@127.0.0.1:2/")
    with pytest.raises(AMQPConnectionError) as refused:
        await connect(nowhere, QUICK, name="test")
    assert reason(refused.value) == "the broker cannot be reached"


async def test_an_address_whose_connection_came_to_nothing_is_tried_last_the_next_time(broker: Broker) -> None:
    port = urlsplit(broker.url).port or 0
    async with relay(port) as one, relay(port) as two:
        urls = ",".join(f"amqp://guest:guest@127.0.0.1:{way.port}/" for way in (one, two))
        stop, used = asyncio.Event(), []

        async def fail(link: BrokerConnection) -> None:
            assert isinstance(link.connection, Connection)
            used.append({one.port: "one", two.port: "two"}[link.connection.url.port or 0])
            if len(used) == 4:
                stop.set()
            raise ConnectionLost("this node does nothing for us")

        settings = broker.settings(amqp_url=urls)
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await supervise(settings, fail, name="test", state=BrokerState(), stop=stop, timing=QUICK)
        assert used == ["one", "two", "one", "two"]


async def test_the_next_address_does_not_wait_until_a_lost_connection_is_closed(settings: Settings) -> None:
    """A silent broker never says goodbye."""
    with pytest.raises(ConnectionLost):
        async with link(settings, BrokerState(), QUICK, name="test") as opened:
            raise ConnectionLost("it confirms nothing")
    assert not opened.connection.is_closed
    await eventually(lambda: opened.connection.is_closed)


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("AMQP_URL", "amqp://one.example,http://two.example", "is not an AMQP address (address 2)"),
        ("REPLY_TO_PREFIXES", "shop.,video.commands.", "allows replies into queues of reelbus itself"),
        ("SOURCE", "two words", "is not a URI reference"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fault(variable: str, value: str, fault: str) -> None:
    with pytest.raises(WrongSettings) as wrong:
        Settings.read({f"REELBUS_{variable}": value}, file=None)
    assert f"REELBUS_{variable} {fault}" in str(wrong.value)


@pytest.mark.parametrize("milliseconds", range(0, 24, 2))
async def test_a_connection_can_be_left_at_any_moment_of_the_first_look_at_the_queues(
    settings: Settings, milliseconds: int
) -> None:
    """The library swallows a cancellation that comes while it closes a channel."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        async with link(settings, BrokerState(), replace(TIMING, topology=3600), name="test"):
            await asyncio.sleep(milliseconds / 1000)
