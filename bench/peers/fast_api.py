"""FastAPI and aio-pika: the same as `confirming`, with a model of the body."""

import sys
from typing import Any

from aio_pika import DeliveryMode, Message
from fastapi import FastAPI, Request
from pydantic import BaseModel

from bench.peers.confirming import connected
from bench.peers.floor import serve


class Webhook(BaseModel):
    """The body."""

    id: str
    status: str
    output: list[str]
    note: str


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
