"""Run the room: the relay and the command consumer, each on a connection of its own."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from process import metrics
from process.settings import Settings
from publisher import topology
from publisher.commands import Commands, Handler
from publisher.connection import BrokerState, Link, supervise
from publisher.pace import PACE, Pace
from publisher.relay import Relay
from store import leases
from store.database import Store


async def run(
    settings: Settings,
    store: Store,
    state: BrokerState,
    handler: Handler | None,
    stop: asyncio.Event,
    *,
    pace: Pace = PACE,
) -> None:
    """Relay events, and take commands if there is a handler, until told to stop.

    Works without a broker too: it goes on trying, and `state` says so. What is in hand when `stop` is set has
    `pace.stop` seconds; what of it is unconfirmed then will be published again by whoever runs next.
    """
    metrics.broker_connected.set_function(lambda: state.connected)

    async def store_check() -> None:
        # A transaction that changes nothing would also succeed on a full disk.
        await store.write_repeatable(leases.take, "commands", owner="any", now=time.time(), seconds=1)

    relay = Relay(settings, store, stop=stop, pace=pace)
    rooms = [supervise(settings, relay.work, name="relay", state=state, stop=stop, pace=pace)]
    if handler is not None:
        work = Commands(settings, handler, store_check, stop=stop, pace=pace).work
        state.commands = BrokerState()
        taking = supervise(
            settings, work, name="commands", state=state.commands, stop=stop, pace=pace, part=topology.commands
        )
        rooms.append(taking)
    await _until_stopped(rooms, stop, pace)


async def stay_connected(settings: Settings, state: BrokerState, stop: asyncio.Event, *, pace: Pace = PACE) -> None:
    """Keep the topology declared and `state` true in a process that publishes nothing."""

    async def idle(link: Link) -> None:
        link.state.useful()
        await link.until(stop)

    metrics.broker_connected.set_function(lambda: state.connected)
    room = supervise(settings, idle, name="health", state=state, stop=stop, pace=pace)
    await _until_stopped([room], stop, pace)


async def _until_stopped(rooms: list[Coroutine[Any, Any, None]], stop: asyncio.Event, pace: Pace) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(room) for room in rooms]
        await stop.wait()
        _, late = await asyncio.wait(tasks, timeout=pace.stop)
        for task in late:
            task.cancel()
