"""A process that publishes nothing still knows whether the broker is there, and has the topology declared."""

import asyncio

from process import metrics
from process.settings import Settings
from publisher.connection import BrokerState
from publisher.doctor import probe
from publisher.run import stay_connected
from tests.broker import Broker, eventually
from tests.publisher.conftest import QUICK


def _metric() -> float | None:
    return metrics.REGISTRY.get_sample_value("reelbus_broker_connected")


async def test_its_state_and_the_metric_follow_the_broker(broker: Broker, settings: Settings) -> None:
    state, stop = BrokerState(), asyncio.Event()
    task = asyncio.create_task(stay_connected(settings, state, stop, pace=QUICK))
    await eventually(lambda: state.connected)
    assert _metric() == 1
    broker_check, events, *_ = await probe(settings, pace=QUICK)
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
