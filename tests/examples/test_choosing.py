"""The broker chooses events by their headers, so that a subscriber is sent nothing else."""

import sys
from pathlib import Path

import aio_pika
import pytest

from tests.examples.conftest import ExampleProgram, declare
from tests.support.broker import Broker

CHOOSING = Path(__file__).parents[2] / "examples/python/choosing.py"


@pytest.mark.timeout(240)
async def test_only_events_of_the_type_and_the_provider_arrive(broker: Broker, tmp_path: Path) -> None:
    exchange, queue = f"test.{tmp_path.name}", f"shop.{tmp_path.name}"
    environment = {"AMQP_URL": broker.url, "EXCHANGE": exchange, "QUEUE": queue}
    program = ExampleProgram([sys.executable, str(CHOOSING), "video.ready", "iacrea"], tmp_path, environment)
    await declare(broker, exchange)
    try:
        await program.subscribed()
        kinds = [("video.failed", "iacrea"), ("video.ready", "homedesigns"), ("video.ready", "iacrea")]
        for number, (event_type, provider) in enumerate(kinds):
            await send(broker, exchange, event_type, provider, f"event-{number}")
        await program.says("event-2")
        assert not program.times("event-0")
        assert not program.times("event-1")
    finally:
        await program.kill()
        async with broker.channel() as channel:
            await channel.queue_delete(queue)
            await channel.exchange_delete(f"{queue}.choice")
            await channel.exchange_delete(exchange)


async def send(broker: Broker, exchange: str, event_type: str, provider: str, event_id: str) -> None:
    headers = {"cloudEvents_type": event_type, "provider": provider}
    message = aio_pika.Message(b"{}", type=event_type, message_id=event_id, headers=dict(headers))
    async with broker.channel() as channel:
        chosen = await channel.get_exchange(exchange)
        await chosen.publish(message, f"{event_type}.{provider}", mandatory=False)  # nobody chooses two of the three
