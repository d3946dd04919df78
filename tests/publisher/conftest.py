"""Fixtures: a store, and the room running over it with the waits cut short."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
import pytest_asyncio

from process.settings import Settings
from publisher import topology
from publisher.broker_state import BrokerState
from publisher.command_processing import Handler
from publisher.run import run
from publisher.timing import TIMING, Timing
from store.database import Store
from tests.publisher.commanding import Client, Door, consumed
from tests.support.broker import Broker, Inbox
from tests.support.waiting import GIVE_UP_SECONDS, eventually

QUICK = replace(
    TIMING,
    connect=3.0,
    declare=3.0,
    confirm=2.0,
    silence=2.0,
    close=0.3,
    stop=2.0,
    backoff_min=0.05,
    backoff_max=0.5,
    outbox_poll=0.2,
    topology=0.5,
    lease=1.0,
    renew=0.2,
    refused_least=0.3,
    refused_most=1.0,
    pause=0.1,
    hold=0.5,
)
"""The product's waits, made short enough for a test to see the end of them."""


@dataclass
class Room:
    """A running room, what it says of the broker, and the way to stop it."""

    settings: Settings
    store: Store
    state: BrokerState = field(default_factory=BrokerState)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def connected(self) -> None:
        """Wait until it has the broker and the topology."""
        await eventually(lambda: self.state.connected)

    async def stopped(self, *, within: float = GIVE_UP_SECONDS) -> None:
        """Have it stop, and wait until it has."""
        self.stop.set()
        assert self.task is not None
        async with asyncio.timeout(within):
            await self.task


class OpenRoom(Protocol):
    """Starts a room."""

    async def __call__(
        self,
        chosen: Settings,
        *,
        handler: Handler | None = None,
        timing: Timing = QUICK,
        connected: bool = True,
    ) -> Room: ...


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path}/reelbus.db")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def settings(broker: Broker) -> AsyncIterator[Settings]:
    """Give settings with an exchange of the test's own, and remove all that was declared afterwards."""
    chosen = broker.settings()
    yield chosen
    await asyncio.to_thread(broker.heal)
    async with broker.channel() as channel:
        for queue in (topology.log_stream(chosen.exchange), topology.SUBMIT_QUEUE, topology.DEAD_QUEUE):
            await channel.queue_delete(queue)
        await channel.exchange_delete(chosen.exchange)
        await channel.exchange_delete(topology.COMMANDS)


@asynccontextmanager
async def running(room: Room, handler: Handler | None, timing: Timing) -> AsyncIterator[Room]:
    """Run a room for as long as the context lasts."""
    room.task = asyncio.create_task(run(room.settings, room.store, room.state, handler, room.stop, timing=timing))
    try:
        yield room
    finally:
        await room.stopped()


@pytest_asyncio.fixture
async def open_room(
    store: Store,
    settings: Settings,  # noqa: ARG001 - whose exchange must outlive the rooms
) -> AsyncIterator[OpenRoom]:
    """Give a function that starts rooms over the store; they stop with the test."""
    async with AsyncExitStack() as stack:

        async def opener(
            chosen: Settings,
            *,
            handler: Handler | None = None,
            timing: Timing = QUICK,
            connected: bool = True,
        ) -> Room:
            room = await stack.enter_async_context(running(Room(chosen, store), handler, timing))
            if connected:
                await room.connected()
            return room

        yield opener


@pytest_asyncio.fixture
async def room(open_room: OpenRoom, settings: Settings) -> Room:
    """Give one running room that only relays."""
    return await open_room(settings)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest_asyncio.fixture
async def commanded(open_room: OpenRoom, settings: Settings, door: Door) -> Room:
    """Give one running room that takes commands, and may answer into queues of its tests."""
    return await open_room(settings.model_copy(update={"reply_to_prefixes": ("replies.",)}), handler=door)


@pytest_asyncio.fixture
async def client(broker: Broker, commanded: Room) -> Client:
    assert commanded.settings.amqp_url.get_secret_value() == broker.url
    await consumed(broker)
    async with broker.channel() as channel:
        queue = await channel.declare_queue(f"replies.{uuid4()}", durable=True, arguments={"x-queue-type": "classic"})
    return Client(broker, Inbox(broker, queue.name))
