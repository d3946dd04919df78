"""Work over a connection to the broker, and over the next one whenever one is lost, after a backoff."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from process import metrics
from process.asyncio_events import wait
from process.settings import Settings
from publisher import topology
from publisher.broker_state import BrokerState
from publisher.connect import BrokerAddresses, abandon, close, connect
from publisher.connection import BrokerConnection
from publisher.connection_errors import reason
from publisher.timing import Timing

logger = structlog.get_logger(__name__)


Work = Callable[[BrokerConnection], Awaitable[None]]


@asynccontextmanager
async def link(
    settings: Settings,
    state: BrokerState,
    timing: Timing,
    *,
    name: str,
    part: topology.Declare = topology.events,
    addresses: BrokerAddresses | None = None,
) -> AsyncIterator[BrokerConnection]:
    """Connect and declare a part of the topology; close the connection in the end, in good time.

    One that is lost is closed in the background: a silent broker would keep us from the next one. Raises as `connect`.
    """
    connection = await connect(settings, timing, name=name, addresses=addresses)
    try:
        opened = BrokerConnection(connection, part, settings.exchange, state, timing)
        await opened.declare()
        keeper = asyncio.create_task(opened.keep_declared())
        try:
            yield opened
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])
    except BaseException:
        abandon(connection, within=timing.close)
        raise
    await close(connection, within=timing.close)


async def supervise(
    settings: Settings,
    work: Work,
    *,
    name: str,
    state: BrokerState,
    stop: asyncio.Event,
    timing: Timing,
    part: topology.Declare = topology.events,
) -> None:
    """Do the work over a connection, and over the next one whenever one is lost, until told to stop."""
    failures, addresses = 0, BrokerAddresses(settings.amqp_urls)
    while not stop.is_set():
        why = await _one_connection(
            settings, work, name=name, state=state, timing=timing, part=part, addresses=addresses
        )
        if why is None or stop.is_set():
            continue
        addresses.failed()
        failures = 1 if state.last_error is None else failures + 1
        state.down(why, now=time.time())
        metrics.broker_reconnects.labels(name).inc()
        logger.warning("broker lost", link=name, reason=why, failures=failures)
        await wait(stop, timeout=_backoff(failures, timing))


async def _one_connection(
    settings: Settings,
    work: Work,
    *,
    name: str,
    state: BrokerState,
    timing: Timing,
    part: topology.Declare = topology.events,
    addresses: BrokerAddresses | None = None,
) -> str | None:
    """Work until the end, which is None, or until the connection is lost, and say why."""
    try:
        async with link(settings, state, timing, name=name, part=part, addresses=addresses) as opened:
            state.up(now=time.time())
            logger.info("broker connected", link=name)
            await work(opened)
        return None
    except asyncio.CancelledError as cancelled:
        # A peer that has fallen silent surfaces in the library as a cancellation that nobody asked for.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return reason(cancelled)
    except Exception as error:  # whatever it was, only a new connection is free of doubt
        return reason(error)


def _backoff(failures: int, timing: Timing) -> float:
    longest = min(timing.backoff_max, timing.backoff_min * 2.0 ** min(failures - 1, 30))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the reconnections of many processes
