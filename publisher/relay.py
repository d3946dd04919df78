"""The relay of the transactional outbox: send what it holds, oldest first, and mark only what the broker has confirmed.

A crash between the confirmation and the mark sends those events again, with the same ids and the same bytes:
at least once, each video's events in order, is the promise.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import structlog
from aio_pika.abc import AbstractChannel

from jobs import confirms
from process import failpoints, metrics
from process.asyncio_events import linked, wait, wait_any
from process.settings import Settings
from publisher import confirmed
from publisher.broker_state import BrokerState
from publisher.connection import BrokerConnection
from publisher.connection_errors import ConnectionLost, reason
from publisher.lease import Lease
from publisher.signing import signing
from publisher.supervisor import supervise
from publisher.timing import Timing
from publisher.window import UNROUTABLE, Outcome, send
from store import outbox
from store.database import Store, StoreUnavailable
from store.outbox import OutboxEvent
from store.transaction import Signal

LEASE = "relay"
_TOLD = 3
"""Of the events that one window had refused, how many have a line in the log."""

logger = structlog.get_logger(__name__)


class Relay:
    """This process's relay. Over all processes one publishes at a time: the one that holds the lease."""

    def __init__(self, settings: Settings, store: Store, *, stop: asyncio.Event, timing: Timing) -> None:
        self._settings = settings
        self._exchange = settings.exchange
        self._sign = signing(settings)
        self._store = store
        self._stop = stop
        self._timing = timing
        self._wake = store.listen(Signal.EVENTS)
        self._lease = Lease(store, LEASE, timing)

    async def run(self, state: BrokerState) -> None:
        """Publish over one connection after the other until told to stop; then another process may."""
        try:
            await supervise(self._settings, self.work, name="relay", state=state, stop=self._stop, timing=self._timing)
        finally:
            await self._lease.give_back()

    async def work(self, link: BrokerConnection) -> None:
        """Publish over one connection until told to stop. Raises `ConnectionLost` as soon as a confirm is missing."""
        channel = await link.channel()
        # Whether the broker takes anything at all is asked with a single event: one that blocks publishers
        # accepts connections, and everything sent meanwhile would arrive twice.
        limit = 1
        try:
            async with self._lease.kept() as lease, linked(self._wake, by=(self._stop, link.lost)):
                events = await self._sendable(lease)
                while not self._stop.is_set():
                    link.raise_if_lost()
                    if lease.died is not None:
                        raise ConnectionLost(f"the lease's keeper died: {type(lease.died).__name__}") from lease.died
                    if events and lease.held:
                        events = await self._send(link, channel, self._bounded(events, limit))
                        limit = self._timing.window
                        link.state.clear_error()
                    else:
                        link.state.clear_error()
                        await self._rest(link, lease)
                        events = await self._sendable(lease)
        finally:
            # One connection after the other that confirms nothing: let a process try that is connected otherwise.
            self._lease.leave(after=self._timing.handover if limit > 1 else 0.0)

    async def _sendable(self, lease: Lease) -> list[OutboxEvent]:
        self._wake.clear()
        try:
            if not lease.held:
                return []
            return await self._store.read_small(outbox.sendable, now=self._store.now(), limit=self._timing.window)
        except StoreUnavailable as error:
            logger.warning("outbox not read", error=str(error))
            return []

    async def _rest(self, link: BrokerConnection, lease: Lease) -> None:
        if lease.held:
            await wait(self._wake, timeout=self._timing.outbox_poll)
        else:
            lease.turn.clear()  # it may be left over from before this process was suspended
            await wait_any(lease.turn, self._stop, link.lost, timeout=self._timing.outbox_poll)

    def _bounded(self, events: Sequence[OutboxEvent], limit: int) -> list[OutboxEvent]:
        """Take as many events as make a window, one at least."""
        size = 0
        window: list[OutboxEvent] = []
        for event in events[:limit]:
            size += len(event.body)
            if window and size > self._timing.window_bytes:
                break
            window.append(event)
        return window

    async def _send(
        self, link: BrokerConnection, channel: AbstractChannel, events: Sequence[OutboxEvent]
    ) -> list[OutboxEvent]:
        """Publish a window and mark what was confirmed; give the next one, which begins a moment after this at least.

        A window costs as much as some ten events, and the broker confirms a small one sooner than ten more are there.
        """
        began = time.monotonic()
        outcome = await self._publish(channel, events)
        self._count(outcome)
        if outcome.lost is None:
            await asyncio.sleep(began + self._timing.gather - time.monotonic())
        following = await self._mark(outcome)
        if outcome.lost is not None:
            raise ConnectionLost(f"events unconfirmed: {reason(outcome.lost)}") from outcome.lost
        if any(why == UNROUTABLE for _, why in outcome.refused):
            await link.declare()
        return following

    async def _publish(self, channel: AbstractChannel, events: Sequence[OutboxEvent]) -> Outcome:
        try:
            sent = await send(channel, self._exchange, events, silence=self._timing.silence, sign=self._sign)
            await failpoints.failpoint("relayed")
        except Exception as error:  # the channel is gone, or the broker reads no more
            return Outcome(lost=error)
        outcome = await sent.wait()
        await failpoints.failpoint("confirmed")
        return outcome

    async def _mark(self, outcome: Outcome) -> list[OutboxEvent]:
        """Mark what was confirmed and read what follows, in one transaction.

        Goes on trying for as long as the store is away: to publish without having marked would send the same
        events over and over.
        """
        for event, why in outcome.refused[:_TOLD]:
            logger.warning("event refused", event_id=event.event_id, reason=why, refused=len(outcome.refused))
        while outcome.confirmed or outcome.refused:
            self._wake.clear()
            try:
                following = await self._store.write_unsynced(
                    confirms.apply,
                    outcome.confirmed,
                    outcome.refused,
                    pause=(self._timing.refused_least, self._timing.refused_most),
                    limit=self._timing.window,
                    now=self._store.now(),
                )
            except StoreUnavailable as error:
                logger.warning("confirmed events not marked", error=str(error), events=len(outcome.confirmed))
                await wait(self._stop, timeout=self._timing.pause)
                if self._stop.is_set():
                    break
            else:
                await failpoints.failpoint("marked")
                return following
        return []

    def _count(self, outcome: Outcome) -> None:
        confirmed.log_published(outcome.confirmed, exchange=self._exchange, now=self._store.now())
        for why, count in Counter(why for _, why in outcome.refused).items():
            metrics.publish_failures.labels(why.partition(":")[0]).inc(count)
        if outcome.lost is not None:
            metrics.publish_failures.labels("unconfirmed").inc()
