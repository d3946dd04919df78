"""Starlette and FastStream: every request publishes one persistent message through FastStream's broker."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faststream.rabbit import RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.schemas import ExchangeType, QueueType
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.floor import serve

BROKER = RabbitBroker(sys.argv[2], logger=None)
EXCHANGE = RabbitExchange("peers", type=ExchangeType.TOPIC, durable=True)


async def take(request: Request) -> Response:
    """Parse the body, publish it, and answer when it is confirmed."""
    body = await request.body()
    json.loads(body)
    await BROKER.publish(body, exchange=EXCHANGE, routing_key="ready.iacrea", persist=True)
    return Response(b"{}", media_type="application/json")


@asynccontextmanager
async def connected(_app: Starlette) -> AsyncIterator[None]:
    """Keep the broker's connection."""
    async with BROKER:
        exchange = await BROKER.declare_exchange(EXCHANGE)
        queue = await BROKER.declare_queue(RabbitQueue("peers", durable=True, queue_type=QueueType.QUORUM))
        await queue.bind(exchange, "#")
        yield


if __name__ == "__main__":
    serve(Starlette(routes=[Route("/", take, methods=["POST"])], lifespan=connected), int(sys.argv[1]))
