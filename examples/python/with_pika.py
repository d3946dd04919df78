"""A subscriber with pika, without asyncio: python with_pika.py."""

import os
import time

import pika
from handling import Unreadable, handle
from pika import BasicProperties
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

AMQP_URL = os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1/")
EXCHANGE = os.environ.get("EXCHANGE", "video.events")
QUEUE = os.environ.get("QUEUE", "shop.pika")
DEAD = f"{QUEUE}.dead"
ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 5,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


def subscribe() -> None:
    """Handle events until the connection is lost."""
    with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)  # one at a time: heartbeats are answered only between messages
        channel.exchange_declare(EXCHANGE, passive=True)  # raises until reelbus has declared it
        channel.queue_declare(DEAD, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_declare(QUEUE, durable=True, arguments=ARGUMENTS)
        for key in ("video.ready.*", "video.failed.*"):
            channel.queue_bind(QUEUE, EXCHANGE, key)
        print("subscribed", flush=True)
        for method, properties, body in channel.consume(QUEUE):
            take(channel, method.delivery_tag, properties, body)


def take(channel: BlockingChannel, tag: int, properties: BasicProperties, body: bytes) -> None:
    """Handle one message, and acknowledge it after its effect is on disk."""
    try:
        handle(body, properties.headers)
    except Unreadable as error:
        print("to the dead-letter queue:", error, flush=True)
        channel.basic_reject(tag, requeue=False)
    except AMQPError:
        raise
    except Exception as error:  # perhaps the next try succeeds; after x-delivery-limit it is dead-lettered
        print("again later:", error, flush=True)
        time.sleep(1)
        channel.basic_reject(tag, requeue=True)
    else:
        channel.basic_ack(tag)


while True:  # subscribe again whenever the broker, the connection or the exchange was away
    try:
        subscribe()
    except (AMQPError, OSError) as error:
        print("subscribing again:", repr(error), flush=True)
    time.sleep(1)
