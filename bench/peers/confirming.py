"""Starlette and aio-pika: every request publishes one persistent message and awaits its confirm."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika import DeliveryMode, Message
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.floor import serve


async def take(request: Request) -> Response:
    """Parse the body, publish it, and answer when it is confirmed."""
    body = await request.body()
    json.loads(body)
    message = Message(body, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT)
    await request.app.state.exchange.publish(message, "ready.iacrea")
    return Response(b"{}", media_type="application/json")


@asynccontextmanager
async def connected(app: Starlette) -> AsyncIterator[None]:
    """Keep one connection and one channel with confirms."""
    connection = await aio_pika.connect_robust(sys.argv[2])
    channel = await connection.channel(publisher_confirms=True)
    app.state.exchange = await channel.declare_exchange("peers", "topic", durable=True)
    queue = await channel.declare_queue("peers", durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind(app.state.exchange, "#")
    yield
    await connection.close()


if __name__ == "__main__":
    serve(Starlette(routes=[Route("/", take, methods=["POST"])], lifespan=connected), int(sys.argv[1]))
