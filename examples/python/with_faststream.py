"""A subscriber with FastStream: faststream run with_faststream:app, or python with_faststream.py."""

import asyncio
import os

from aio_pika.exceptions import AMQPError
from faststream import FastStream
from faststream.exceptions import RejectMessage
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue
from handling import Unreadable, handle

AMQP_URL = os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1/")
EXCHANGE = os.environ.get("EXCHANGE", "video.events")
QUEUE = os.environ.get("QUEUE", "shop.faststream")

broker = RabbitBroker(AMQP_URL)
app = FastStream(broker)
dead = RabbitQueue(f"{QUEUE}.dead", durable=True, arguments={"x-queue-type": "quorum"})
events = RabbitExchange(EXCHANGE, type=ExchangeType.TOPIC, durable=True, declare=False)
queue = RabbitQueue(
    QUEUE,
    durable=True,
    routing_key="video.*.*",
    arguments={
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead.name,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    },
)


async def as_bytes(message: RabbitMessage) -> bytes:
    """Leave the body as it is: FastStream decodes `application/json` alone."""
    return message.body


@broker.subscriber(queue, events, decoder=as_bytes)
async def on_event(body: bytes, message: RabbitMessage) -> None:
    """Handle one event. An exception rejects the message: it goes to the dead-letter queue, where it waits for you."""
    for pause in (1, 2, 4, None):
        try:
            return await asyncio.to_thread(handle, body, message.headers)
        except Unreadable as error:
            print("to the dead-letter queue:", error, flush=True)
            raise RejectMessage from error
        except Exception as error:
            if pause is None:
                raise
            print("again later:", error, flush=True)
            await asyncio.sleep(pause)
    return None


@app.on_startup
async def declare() -> None:
    """Wait for the exchange, which reelbus declares, and declare the dead-letter queue before the other."""
    while True:
        try:
            await broker.connect()
            await broker.declare_exchange(events)
            await broker.declare_queue(dead)
        except (AMQPError, OSError) as error:
            print("waiting:", error, flush=True)
            await broker.stop()
            await asyncio.sleep(1)
        else:
            return


@app.after_startup
async def say() -> None:
    """Say that events arrive from now on."""
    print("subscribed", flush=True)


if __name__ == "__main__":
    asyncio.run(app.run())
