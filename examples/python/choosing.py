"""Have the broker choose events by their headers: python choosing.py video.ready iacrea.

A binding key chooses by type and provider too (`video.ready.iacrea`). A headers exchange of your own chooses by any of
the headers, and works on every RabbitMQ. It is bound to the exchange `video.events` as a queue would be.
"""

import asyncio
import os
import sys

import aio_pika
from aio_pika import ExchangeType

AMQP_URL = os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1/")
EXCHANGE = os.environ.get("EXCHANGE", "video.events")
QUEUE = os.environ.get("QUEUE", "shop.choosing")


async def main(event_type: str, provider: str) -> None:
    """Print the chosen events; `connect_robust` declares everything anew after a lost connection."""
    async with await aio_pika.connect_robust(AMQP_URL) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=20)
        events = await channel.get_exchange(EXCHANGE)
        choice = await channel.declare_exchange(f"{QUEUE}.choice", ExchangeType.HEADERS, durable=True)
        await choice.bind(events, "#")
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        wanted = {"x-match": "all", "cloudEvents_type": event_type, "provider": provider}
        await queue.bind(choice, arguments=wanted)
        print("subscribed", flush=True)
        async with queue.iterator() as messages:
            async for message in messages:
                print(message.type, message.headers["provider"], message.message_id, flush=True)
                await message.ack()


asyncio.run(main(*sys.argv[1:3]))
