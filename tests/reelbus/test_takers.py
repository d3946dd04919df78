"""The doctor says which terminal events no queue takes, where RabbitMQ's management API can be asked."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from process.settings import Settings
from publisher import topology
from reelbus.takers import Takers, takers
from sandbox.broker.node import Node
from tests.support.waiting import eventually


@asynccontextmanager
async def management(status: str, answer: object) -> AsyncIterator[tuple[str, list[str]]]:
    """Answer on loopback as the management API is documented to; give the address and the requests' heads."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = json.dumps(answer if "/bindings/source " in heads[-1] else {"consumers": 0}).encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()


def settings(management_url: str) -> Settings:
    given = {"AMQP_URL": "amqp://shop:p%40ss@127.0.0.1:5672/a%2Fb", "PROVIDERS": "iacrea"}
    given["MANAGEMENT_URL"] = management_url
    return Settings.read({f"REELBUS_{name}": value for name, value in given.items()}, file=None)


def bound(destination: str, key: str) -> dict[str, str]:
    return {
        "source": "video.events",
        "vhost": "/",
        "destination": destination,
        "destination_type": "queue",
        "routing_key": key,
    }


async def test_it_names_the_events_that_only_the_log_takes() -> None:
    async with management("200 OK", [bound("video.events.log", "#"), bound("shop", "video.ready.*")]) as (base, heads):
        verdict, detail, mend = await takers(settings(base))
    assert (verdict, detail) == ("warn", "nobody is bound to video.failed.iacrea")
    assert "subscribing" in mend
    assert heads[0].startswith("GET /api/exchanges/a%2Fb/video.events/bindings/source ")
    assert base64.b64encode(b"shop:p@ss").decode() in heads[0]


async def test_all_is_well_where_each_terminal_event_has_a_queue() -> None:
    async with management("200 OK", [bound("video.events.log", "#"), bound("shop", "video.#")]) as (base, _):
        verdict, detail, _ = await takers(settings(base))
    assert (verdict, detail) == ("ok", "each terminal event goes to a queue besides the log; nobody consumes shop")


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found"])
async def test_it_says_that_nobody_could_look(status: str) -> None:
    async with management(status, {"error": "not_authorised"}) as (base, _):
        verdict, detail, _ = await takers(settings(base))
    assert (verdict, detail.startswith("nobody can say who takes events")) == ("off", True)


async def test_a_broker_without_the_api_is_no_fault() -> None:
    verdict, detail, _ = await takers(settings("http://127.0.0.1:1"))
    assert (verdict, "no management API answers" in detail) == ("off", True)


@pytest.mark.parametrize("amqp_url", ["amqp://shop:secret@broker.test/", "amqps://shop:secret@10.1.2.3/"])
async def test_no_password_goes_to_a_port_of_another_machine_that_nobody_named(amqp_url: str) -> None:
    found = await Takers(Settings.read({"REELBUS_AMQP_URL": amqp_url}, file=None)).look()
    assert found.fault == "REELBUS_MANAGEMENT_URL is not set, and the broker is not on this machine"


async def test_a_broker_on_this_machine_is_asked_at_its_own_port_unless_another_is_named() -> None:
    found = await Takers(Settings.read({"REELBUS_AMQP_URL": "amqps://guest:guest@127.0.0.9/"}, file=None)).look()
    assert found.fault == "no management API answers at https://127.0.0.9:15671"


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, str]]:
    """Run a broker of its own with RabbitMQ's real management plugin."""
    node = Node(tmp_path_factory.mktemp("managed"), plugins=("rabbitmq_management",))
    node.start(owner=os.getpid())
    yield node, f"http://127.0.0.1:{node.management_port}"
    node.stop(now=True)


async def _drop(_: AbstractIncomingMessage) -> None:
    """Do nothing with a message."""


@pytest.mark.timeout(360)
async def test_the_real_management_tells_who_is_bound_and_who_consumes(managed: tuple[Node, str]) -> None:
    node, base = managed
    given = {"REELBUS_AMQP_URL": node.url, "REELBUS_MANAGEMENT_URL": base, "REELBUS_PROVIDERS": "iacrea"}
    asked = Settings.read(given, file=None)
    connection = await aio_pika.connect(node.url)
    async with connection:
        channel = await connection.channel()
        await topology.events(channel, asked.exchange)

        async def answers() -> bool:
            return (await Takers(asked).look()).fault is None

        await eventually(answers)
        verdict, detail, _ = await takers(asked)
        assert (verdict, detail) == ("warn", "nobody is bound to video.failed.iacrea, video.ready.iacrea")

        queue = await channel.declare_queue("shop", durable=True)
        await queue.bind(asked.exchange, "video.ready.*")
        await queue.bind(asked.exchange, "video.failed.#")

        async def bound() -> bool:
            return (await takers(asked))[0] == "ok"

        await eventually(bound)

        async def idle() -> bool:
            return (await takers(asked))[1].endswith("nobody consumes shop")

        await eventually(idle)  # the management counts a little later than it knows of queues
        await queue.consume(_drop, no_ack=True)

        async def consumed() -> bool:
            found = await Takers(asked).look()
            return found.management == base and {each.consumers for each in found.items} == {1}

        await eventually(consumed)
        assert (await takers(asked))[1] == "each terminal event goes to a queue besides the log"


async def test_a_user_who_may_not_ask_is_told_so(managed: tuple[Node, str]) -> None:
    node, base = managed
    await asyncio.to_thread(node.ctl, "add_user", "shop", "sesame")
    address = node.url.replace("guest:guest", "shop:sesame")
    given = {"REELBUS_AMQP_URL": address, "REELBUS_MANAGEMENT_URL": base}
    verdict, detail, _ = await takers(Settings.read(given, file=None))
    assert (verdict, detail) == ("off", f"nobody can say who takes events: {base} answers 401")
