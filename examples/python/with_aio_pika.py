"""A subscriber with aio-pika: python with_aio_pika.py."""

import asyncio
import os

import aio_pika
from aio_pika.exceptions import AMQPError
from handling import Unreadable, handle

AMQP_URL = os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1/")
EXCHANGE = os.environ.get("EXCHANGE", "video.events")
QUEUE = os.environ.get("QUEUE", "shop.aio-pika")
DEAD = f"{QUEUE}.dead"
ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 5,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


async def subscribe() -> None:
    """Handle events until the connection is lost."""
    async with await aio_pika.connect(AMQP_URL) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=20)
        exchange = await channel.get_exchange(EXCHANGE)  # raises until reelbus has declared it
        await channel.declare_queue(DEAD, durable=True, arguments={"x-queue-type": "quorum"})
        queue = await channel.declare_queue(QUEUE, durable=True, arguments=ARGUMENTS)
        for key in ("video.ready.*", "video.failed.*"):
            await queue.bind(exchange, key)
        print("subscribed", flush=True)
        async with queue.iterator() as messages:
            async for message in messages:
                await take(message)


async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
    """Handle one message, and acknowledge it after its effect is on disk."""
    try:
        await asyncio.to_thread(handle, message.body, message.headers)
    except Unreadable as error:
        print("to the dead-letter queue:", error, flush=True)
        await message.reject(requeue=False)
    except Exception as error:  # perhaps the next try succeeds; after x-delivery-limit it is dead-lettered
        print("again later:", error, flush=True)
        await asyncio.sleep(1)
        await message.reject(requeue=True)
    else:
        await message.ack()


async def main() -> None:
    """Subscribe again whenever the broker, the connection or the exchange was away, until Ctrl-C."""
    me = asyncio.current_task()
    while me and not me.cancelling():  # the library may swallow a cancellation while it closes
        try:
            await subscribe()
        except (AMQPError, OSError) as error:
            print("subscribing again:", error, flush=True)
        await asyncio.sleep(1)


asyncio.run(main())
