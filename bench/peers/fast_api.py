"""FastAPI and aio-pika: the same as `confirming`, with a model of the body."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from aio_pika import DeliveryMode, Message
from fastapi import FastAPI, Request
from pydantic import BaseModel

from bench.peers.floor import serve


class Webhook(BaseModel):
    """The body."""

    id: str
    status: str
    output: list[str]
    note: str


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[None]:
    """Keep one connection and one channel with confirms."""
    connection = await aio_pika.connect_robust(sys.argv[2])
    channel = await connection.channel(publisher_confirms=True)
    app.state.exchange = await channel.declare_exchange("peers", "topic", durable=True)
    queue = await channel.declare_queue("peers", durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind(app.state.exchange, "#")
    yield
    await connection.close()


app = FastAPI(lifespan=connected)


@app.post("/")
async def take(webhook: Webhook, request: Request) -> dict[str, Any]:
    """Publish the body, and answer when it is confirmed."""
    body = webhook.model_dump_json().encode()
    message = Message(body, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT)
    await request.app.state.exchange.publish(message, "ready.iacrea")
    return {}


if __name__ == "__main__":
    serve(app, int(sys.argv[1]))
