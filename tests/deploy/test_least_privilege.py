"""Each role works with its own user of the broker, as in deploy/rabbitmq/definitions.json, and may do no more."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused

from publisher import topology
from sandbox.broker.node import Node
from tests.support.broker import Broker, close
from tests.support.service import Sandbox, Service
from tests.support.waiting import eventually

DEFINITIONS = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions.json"
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(360)]

VHOST = "least-privilege"
ROLES = ("receiver", "generator", "poller", "publisher")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(broker_node: Node) -> AsyncIterator[str]:
    """Load the definitions, with passwords and a virtual host of the test's; give the address without its user."""
    broker = Broker(broker_node)
    file = broker_node.folder / "definitions.json"  # a node of another release sees no other folder
    text = DEFINITIONS.read_text().replace('"/"', f'"{VHOST}"')
    for role in (*ROLES, "subscriber"):
        assert f"@{role.upper()}_PASSWORD@" in text
        text = text.replace(f"@{role.upper()}_PASSWORD@", "password")
    file.write_text(text)
    await broker.ctl("import_definitions", str(file))
    parts = urlsplit(broker.url)
    yield f"{parts.hostname}:{parts.port}/{VHOST}"
    await broker.ctl("delete_vhost", VHOST)


def _url(user: str, address: str) -> str:
    return f"amqp://{user}:password@{address}"


async def _refused(url: str, *attempts: str) -> list[str]:
    """Try each thing over a connection of its own; name those that the broker refused."""
    refused = []
    for attempt in attempts:
        connection = await aio_pika.connect(url)
        try:
            await _try(await connection.channel(), attempt)
        except ChannelAccessRefused:
            refused.append(attempt)
        finally:
            await close(connection)
    return refused


async def _try(channel: AbstractChannel, attempt: str) -> None:
    what, _, name = attempt.partition(" ")
    match what:
        case "declare":
            await channel.declare_queue(name)
        case "delete":
            await channel.queue_delete(name)
        case "publish":
            exchange = await channel.get_exchange(name, ensure=False)
            await exchange.publish(aio_pika.Message(b"{}"), "video.ready.iacrea", mandatory=False)
        case _:
            await (await channel.get_queue(name, ensure=False)).consume(_drop)


async def _drop(_: object) -> None:
    """Take a message."""


async def test_every_role_works_with_its_own_user(broker: Broker, address: str, tmp_path: Path) -> None:
    sandbox = await Sandbox.start(tmp_path)
    service = Service(tmp_path, sandbox.env)
    try:
        for role in ROLES:
            await service.start(role, REELBUS_AMQP_URL=_url(f"reelbus-{role}", address))

        async def ready() -> bool:
            return (await service.http.get("/readyz")).is_success

        async def declared() -> bool:
            return "video.events.log" in await broker.ctl("list_queues", "-p", VHOST, "name")

        await eventually(ready, what="readiness")
        await eventually(declared, what="the topology's declaration")
        shop = await aio_pika.connect(_url("shop", address))
        channel = await shop.channel()
        queue = await channel.declare_queue("shop.videos", durable=True)
        await queue.bind("video.events", "video.ready.#")
        video = await service.submit(image_url=f"{sandbox.url}/clip.jpg", provider="homedesigns")
        assert video["status"] == "accepted"
        command = {"motion": "zoom_in", "image_url": "https://example.com/a.jpg", "provider": "homedesigns"}
        commands = await channel.get_exchange("video.commands", ensure=False)
        await commands.publish(aio_pika.Message(json.dumps(command).encode(), message_id="a-command"), "submit")

        async def both_accepted() -> bool:
            return len((await service.http.get("/v1/videos")).json()["items"]) == 2

        await eventually(both_accepted, what="the command's acceptance")
        await close(shop)
    finally:
        await service.close()
        await sandbox.close()


@pytest.mark.parametrize("role", ["receiver", "generator", "poller"])
async def test_a_role_that_publishes_nothing_may_do_nothing(address: str, role: str) -> None:
    reading = ("consume video.commands.submit", "consume shop.videos")
    tried = ("declare stolen", "publish video.events", "publish amq.topic", *reading, "delete video.events.log")
    await _declare(address)
    assert await _refused(_url(f"reelbus-{role}", address), *tried) == list(tried)


async def test_the_publisher_may_touch_nothing_of_others(address: str) -> None:
    tried = ("declare shop.videos", "consume shop.videos", "delete shop.videos", "publish amq.topic")
    await _declare(address)
    assert await _refused(_url("reelbus-publisher", address), *tried) == list(tried)


async def test_a_subscriber_may_neither_announce_nor_take_commands(address: str) -> None:
    tried = ("publish video.events", "consume video.commands.submit", "delete video.events.log", "publish amq.topic")
    await _declare(address)
    assert await _refused(_url("shop", address), *tried) == list(tried)


async def _declare(address: str) -> None:
    """Declare the topology as the publisher does, and a queue as a subscriber does."""
    for user, queue in (("reelbus-publisher", None), ("shop", "shop.videos")):
        connection = await aio_pika.connect(_url(user, address))
        channel = await connection.channel()
        if queue is None:
            await topology.events(channel, "video.events")
            await topology.commands(channel, "video.events")
        else:
            await channel.declare_queue(queue, durable=True)
        await close(connection)
