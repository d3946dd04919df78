"""Run the room: the relay and the command consumer, each on a connection of its own."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused

from process import metrics
from process.settings import Settings
from publisher import topology
from publisher.broker_state import BrokerState
from publisher.command_processing import Handler
from publisher.commands import Commands
from publisher.connection import BrokerConnection
from publisher.relay import Relay
from publisher.supervisor import supervise
from publisher.timing import TIMING, Timing
from store.database import Store
from store.probe import probe


async def run(
    settings: Settings,
    store: Store,
    state: BrokerState,
    handler: Handler | None,
    stop: asyncio.Event,
    *,
    timing: Timing = TIMING,
) -> None:
    """Relay events, and take commands if there is a handler, until told to stop.

    Works without a broker too: it goes on trying, and `state` says so. What is in hand when `stop` is set has
    `pace.stop` seconds; what of it is unconfirmed then will be published again by whoever runs next.
    """
    metrics.broker_connected.set_function(lambda: state.connected)

    async def store_check() -> None:
        await store.write_unsynced(probe, now=store.now())

    relay = Relay(settings, store, stop=stop, timing=timing)
    rooms = [relay.run(state)]
    if handler is not None:
        work = Commands(settings, handler, store_check, stop=stop, timing=timing).work
        state.commands = BrokerState()
        taking = supervise(
            settings, work, name="commands", state=state.commands, stop=stop, timing=timing, part=topology.commands
        )
        rooms.append(taking)
    await _until_stopped(rooms, stop, timing)


async def stay_connected(
    settings: Settings, state: BrokerState, stop: asyncio.Event, *, timing: Timing = TIMING
) -> None:
    """Keep `state` true in a process that publishes nothing, and the topology declared as far as its user may."""

    async def idle(link: BrokerConnection) -> None:
        link.state.clear_error()
        await link.until(stop)

    metrics.broker_connected.set_function(lambda: state.connected)
    room = supervise(settings, idle, name="health", state=state, stop=stop, timing=timing, part=_events_if_allowed())
    await _until_stopped([room], stop, timing)


def _events_if_allowed() -> topology.Declare:
    """Declare what events need, until the broker says that our user may not: then it is the publisher's task alone."""
    allowed = True

    async def declare(channel: AbstractChannel, exchange: str) -> None:
        nonlocal allowed
        if allowed:
            try:
                await topology.events(channel, exchange)
            except ChannelAccessRefused:
                allowed = False

    return declare


async def _until_stopped(rooms: list[Coroutine[Any, Any, None]], stop: asyncio.Event, timing: Timing) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(room) for room in rooms]
        await stop.wait()
        _, late = await asyncio.wait(tasks, timeout=timing.stop)
        for task in late:
            task.cancel()
