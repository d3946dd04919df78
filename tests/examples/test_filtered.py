"""Over AMQP 1.0 the broker filters the log by type and provider; one that cannot is told from one that can."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest
import pytest_asyncio

from publisher import topology
from tests.examples.conftest import ROOT, ExampleProgram
from tests.examples.test_choosing import send
from tests.support.broker import Broker

pytestmark = pytest.mark.timeout(360)

FILTERS_FROM = (4, 1)


@pytest_asyncio.fixture
async def exchange(broker: Broker) -> AsyncIterator[str]:
    """Give an exchange with its log, declared as reelbus does."""
    name = broker.settings().exchange
    async with broker.channel() as channel:
        await topology.events(channel, name)
    yield name
    async with broker.channel() as channel:
        await channel.queue_delete(f"{name}.log")
        await channel.exchange_delete(name)


async def release(broker: Broker) -> tuple[int, int]:
    """Ask the broker how new it is."""
    connection = await aio_pika.connect(broker.url)
    async with connection:
        told = str(connection.transport.connection.server_properties["version"]) if connection.transport else ""
    found = re.match(r"(\d+)\.(\d+)", told)
    assert found, told
    return int(found[1]), int(found[2])


async def test_the_log_is_filtered_by_a_broker_that_can_and_refused_of_any_other(
    broker: Broker, exchange: str, tmp_path: Path
) -> None:
    folder = ROOT / ".run/examples/node"
    (folder / "filtered.mjs").write_bytes((ROOT / "examples/node/filtered.mjs").read_bytes())
    command = ["node", str(folder / "filtered.mjs"), "video.ready", "iacrea"]
    program = ExampleProgram(command, tmp_path, {"AMQP_URL": broker.url, "STREAM": f"{exchange}.log"})
    kinds = [("video.failed", "iacrea"), ("video.ready", "homedesigns"), ("video.ready", "iacrea")]
    for number, (event_type, provider) in enumerate(kinds):
        await send(broker, exchange, event_type, provider, f"event-{number}")
    newness = await release(broker)
    try:
        await program.start()
        if newness >= FILTERS_FROM:
            await program.says("event-2")
            assert not program.times("event-0") + program.times("event-1")
        else:
            await program.says("this broker does not filter; it takes RabbitMQ 4.1 or newer")
            assert not program.times("event-")
    finally:
        await program.kill()
