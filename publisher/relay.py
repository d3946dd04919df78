"""Send what the outbox holds, oldest first, and mark only what the broker has confirmed.

A crash between the confirmation and the mark sends those events again, with the same ids and the same bytes:
at least once, each video's events in order, is the promise.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import structlog
from aio_pika.abc import AbstractChannel

from process import crashpoints, metrics
from process.settings import Settings
from process.stopping import first_of, set_too, wait
from publisher.connection import Link, LinkLost, reason
from publisher.lease import Lease, kept
from publisher.pace import Pace
from publisher.refusals import Refusals
from publisher.window import Outcome, send
from store import outbox
from store.database import Store, StoreUnavailable
from store.outbox import OutboxEvent
from store.transaction import Topic, Tx

LEASE = "relay"

logger = structlog.get_logger(__name__)


class Relay:
    """This process's relay. Over all processes one publishes at a time: the one that holds the lease."""

    def __init__(self, settings: Settings, store: Store, *, stop: asyncio.Event, pace: Pace) -> None:
        self._exchange = settings.exchange
        self._store = store
        self._stop = stop
        self._pace = pace
        self._wake = store.listen(Topic.EVENTS)
        self._refusals = Refusals(pace)

    async def work(self, link: Link) -> None:
        """Publish over one connection until told to stop. Raises `LinkLost` on the least doubt."""
        channel = await link.channel()
        # Whether the broker takes anything at all is asked with a single event: one that blocks publishers
        # accepts connections, and everything sent meanwhile would arrive twice.
        limit = 1
        async with kept(self._store, LEASE, self._pace) as lease, set_too(self._wake, by=(self._stop, link.lost)):
            events = await self._look(lease)
            while not self._stop.is_set():
                link.insist()
                if events and lease.held:
                    events = await self._send(link, channel, events[:limit])
                    limit = self._pace.window
                    link.state.useful()
                else:
                    link.state.useful()
                    await self._rest(link, lease)
                    events = await self._look(lease)

    async def _look(self, lease: Lease) -> list[OutboxEvent]:
        self._wake.clear()
        try:
            rows = await self._store.read_brief(outbox.unpublished, limit=self._enough) if lease.held else []
        except StoreUnavailable as error:
            logger.warning("outbox not read", error=str(error))
            return []
        return self._choose(rows, now=time.time())

    async def _rest(self, link: Link, lease: Lease) -> None:
        if lease.held:
            await wait(self._wake, timeout=self._pace.sweep)
        else:
            lease.turn.clear()  # it may be left over from before this process was suspended
            await first_of(lease.turn, self._stop, link.lost, timeout=self._pace.sweep)

    @property
    def _enough(self) -> int:
        """How many rows to read for a full window, past those that must wait."""
        return self._pace.window + min(len(self._refusals), 10 * self._pace.window)

    def _choose(self, rows: Sequence[OutboxEvent], *, now: float) -> list[OutboxEvent]:
        """Take each video's oldest event, and none of a video whose oldest must wait."""
        oldest: dict[str, OutboxEvent] = {}
        for event in rows:
            oldest.setdefault(event.video_id, event)
        ready = (event for event in oldest.values() if not self._refusals.waits(event.event_id, now=now))
        return self._bounded(ready)

    def _bounded(self, events: Iterable[OutboxEvent]) -> list[OutboxEvent]:
        """Take as many events as make a window, one at least."""
        size = 0
        window: list[OutboxEvent] = []
        for event in islice(events, self._pace.window):
            size += len(event.body)
            if window and size > self._pace.window_bytes:
                break
            window.append(event)
        return window

    async def _send(self, link: Link, channel: AbstractChannel, events: Sequence[OutboxEvent]) -> list[OutboxEvent]:
        """Publish a window and mark what was confirmed; give the next one."""
        outcome = await self._publish(channel, events)
        self._count(outcome)
        following = await self._mark(outcome)
        if outcome.doubt is not None:
            raise LinkLost(f"events unconfirmed: {reason(outcome.doubt)}") from outcome.doubt
        if outcome.refused:
            await link.declare()
        return following

    async def _publish(self, channel: AbstractChannel, events: Sequence[OutboxEvent]) -> Outcome:
        deadline = time.monotonic() + self._pace.confirm
        try:
            async with asyncio.timeout(self._pace.confirm):
                sent = await send(channel, self._exchange, events)
                await crashpoints.reach("relayed")
        except Exception as error:  # the channel is gone, or the broker reads no more
            return Outcome(doubt=error)
        outcome = await sent.settled(within=max(0.0, deadline - time.monotonic()))
        await crashpoints.reach("confirmed")
        return outcome

    async def _mark(self, outcome: Outcome) -> list[OutboxEvent]:
        """Mark what was confirmed and read what follows, in one transaction.

        Goes on trying for as long as the store is away: to publish without having marked would send the same
        events over and over.
        """
        now = time.time()
        for event in outcome.confirmed:
            self._refusals.forget(event.event_id)
        for event, why in outcome.refused:
            self._refusals.note(event.event_id, now=now)
            logger.warning("event refused", event_id=event.event_id, reason=why)
        while outcome.confirmed or outcome.refused:
            self._wake.clear()
            try:
                rows = await self._store.write_repeatable(_mark_and_read, outcome, now=now, limit=self._enough)
            except StoreUnavailable as error:
                logger.warning("confirmed events not marked", error=str(error), events=len(outcome.confirmed))
                await wait(self._stop, timeout=self._pace.pause)
                if self._stop.is_set():
                    break
            else:
                await crashpoints.reach("marked")
                return self._choose(rows, now=now)
        return []

    def _count(self, outcome: Outcome) -> None:
        for event_type, count in Counter(event.type for event in outcome.confirmed).items():
            metrics.events_published.labels(event_type).inc(count)
        for why, count in Counter(why for _, why in outcome.refused).items():
            metrics.publish_failures.labels(why.partition(":")[0]).inc(count)
        if outcome.doubt is not None:
            metrics.publish_failures.labels("unconfirmed").inc()


def _mark_and_read(tx: Tx, outcome: Outcome, *, now: float, limit: int) -> list[OutboxEvent]:
    outbox.mark_published(tx, [event.seq for event in outcome.confirmed], now=now)
    for event, why in outcome.refused:
        outbox.note_error(tx, event.seq, why)
    return outbox.unpublished(tx, limit=limit)
