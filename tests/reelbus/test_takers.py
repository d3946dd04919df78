"""The doctor says which terminal events no queue takes, where RabbitMQ's management API can be asked."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from process.settings import Settings
from reelbus.takers import takers


@asynccontextmanager
async def management(status: str, answer: object) -> AsyncIterator[tuple[str, list[str]]]:
    """Answer on loopback as the management API is documented to; give the address and the requests' heads."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()


@pytest.fixture
def settings() -> Settings:
    return Settings.read(
        {"REELBUS_AMQP_URL": "amqp://shop:p%40ss@127.0.0.1:5672/a%2Fb", "REELBUS_PROVIDERS": "iacrea"}, file=None
    )


def bound(destination: str, key: str) -> dict[str, str]:
    return {
        "source": "video.events",
        "vhost": "/",
        "destination": destination,
        "destination_type": "queue",
        "routing_key": key,
    }


async def test_it_names_the_events_that_only_the_log_takes(settings: Settings) -> None:
    async with management("200 OK", [bound("video.events.log", "#"), bound("shop", "video.ready.*")]) as (base, heads):
        verdict, detail, mend = await takers(settings, management=base)
    assert (verdict, detail) == ("warn", "nobody is bound to video.failed.iacrea")
    assert "subscribing" in mend
    assert heads[0].startswith("GET /api/exchanges/a%2Fb/video.events/bindings/source ")
    assert base64.b64encode(b"shop:p@ss").decode() in heads[0]


async def test_all_is_well_where_each_terminal_event_has_a_queue(settings: Settings) -> None:
    async with management("200 OK", [bound("video.events.log", "#"), bound("shop", "video.#")]) as (base, _):
        assert (await takers(settings, management=base))[0] == "ok"


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found"])
async def test_it_says_that_nobody_could_look(settings: Settings, status: str) -> None:
    async with management(status, {"error": "not_authorised"}) as (base, _):
        verdict, detail, _ = await takers(settings, management=base)
    assert (verdict, detail.startswith("nobody can say who takes events")) == ("off", True)


async def test_a_broker_without_the_api_is_no_fault(settings: Settings) -> None:
    verdict, detail, _ = await takers(settings, management="http://127.0.0.1:1")
    assert (verdict, "no management API answers" in detail) == ("off", True)
