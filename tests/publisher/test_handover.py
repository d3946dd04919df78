"""Of several publishers one publishes; how soon one does again after its way to the broker is lost."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest_asyncio
from pydantic import SecretStr

from process.settings import Settings
from publisher.timing import TIMING
from schemas.names import EventType
from store.database import Store
from tests.publisher.announcing import announce
from tests.publisher.conftest import QUICK, OpenRoom
from tests.support.broker import Broker, Inbox, subscribe
from tests.support.tcp_relay import TcpRelay, relay
from tests.support.waiting import eventually

ENDLESS = 600.0
"""Longer than any test waits."""


@dataclass
class Nodes:
    """Two ways to one broker, as to two nodes of a cluster, and a subscriber on it."""

    settings: Settings
    parted: TcpRelay
    sound: TcpRelay
    inbox: Inbox

    def reached(self, *ways: TcpRelay) -> Settings:
        """Give the settings of a host that tries these in turn."""
        urls = ",".join(f"amqp://guest:guest@127.0.0.1:{way.port}/" for way in ways)
        return self.settings.model_copy(update={"amqp_url": SecretStr(urls)})

    async def published(self, store: Store, kind: EventType) -> None:
        """Announce an event, and wait until the subscriber has it."""
        announced = await announce(store, kind)
        await self.inbox.until(lambda inbox: announced in inbox.ids)


@pytest_asyncio.fixture
async def nodes(broker: Broker, settings: Settings, open_room: OpenRoom) -> AsyncIterator[Nodes]:
    await (await open_room(settings)).stopped()  # which leaves the exchange behind
    port = urlsplit(broker.url).port or 0
    async with AsyncExitStack() as stack:
        parted, sound = [await stack.enter_async_context(relay(port)) for _ in range(2)]
        yield Nodes(settings, parted, sound, await subscribe(broker, settings.exchange))


async def test_the_silence_of_a_node_is_waited_for_once_where_two_publishers_are_connected_to_it(
    nodes: Nodes, store: Store, open_room: OpenRoom
) -> None:
    both = nodes.reached(nodes.parted, nodes.sound)
    rooms = [await open_room(both, timing=TIMING) for _ in range(2)]
    await nodes.published(store, EventType.SUBMITTED)
    assert nodes.parted.connections == 2

    nodes.parted.hold()
    began = time.monotonic()
    await nodes.published(store, EventType.READY)
    assert time.monotonic() - began < 2 * TIMING.silence
    for room in rooms:
        await room.stopped()


async def test_a_publisher_that_finds_no_other_node_gives_way_to_one_that_has_one(
    nodes: Nodes, store: Store, open_room: OpenRoom
) -> None:
    timing = replace(QUICK, lease=ENDLESS, handover=0.2)
    cut_off = await open_room(nodes.reached(nodes.parted), timing=timing)
    await nodes.published(store, EventType.SUBMITTED)
    await open_room(nodes.reached(nodes.sound), timing=timing)

    nodes.parted.refuses = True
    nodes.parted.cut()
    await eventually(lambda: not cut_off.state.connected)
    await nodes.published(store, EventType.READY)


async def test_a_publisher_whose_node_never_confirmed_anything_gives_way_at_once(
    nodes: Nodes, store: Store, open_room: OpenRoom
) -> None:
    timing = replace(QUICK, lease=ENDLESS, handover=ENDLESS, topology=ENDLESS)
    await open_room(nodes.reached(nodes.parted), timing=timing)
    await open_room(nodes.reached(nodes.sound), timing=timing)

    nodes.parted.hold()
    await nodes.published(store, EventType.READY)


async def test_a_publisher_that_stops_gives_way_at_once(nodes: Nodes, store: Store, open_room: OpenRoom) -> None:
    timing = replace(QUICK, lease=ENDLESS, handover=ENDLESS)
    first = await open_room(nodes.reached(nodes.parted), timing=timing)
    await nodes.published(store, EventType.SUBMITTED)
    await open_room(nodes.reached(nodes.sound), timing=timing)

    await first.stopped()
    await nodes.published(store, EventType.READY)
