"""Send what the outbox holds, oldest first, and mark only what the broker has confirmed.

A crash between the confirmation and the mark sends those events again, with the same ids and the same bytes:
at least once, each video's events in order, is the promise.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aio_pika.abc import AbstractChannel

from process import crashpoints, metrics
from process.settings import Settings
from process.stopping import first_of
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
        self._settling: frozenset[int] = frozenset()
        self._mark: Callable[[], Awaitable[None]]
        self._marked: Awaitable[None] | None = None

    async def work(self, link: Link) -> None:
        """Publish over one connection until told to stop. Raises `LinkLost` on the least doubt."""
        channel = await link.channel()
        async with kept(self._store, LEASE, self._pace) as lease:
            # Whether the broker takes anything at all is asked with a single event: one that blocks
            # publishers accepts connections, and everything sent meanwhile will arrive twice.
            limit = 1
            try:
                while not self._stop.is_set():
                    link.insist()
                    await link.declare()
                    sent = await self._round(link, channel, lease, limit)
                    link.state.useful()  # or whoever has the lease is
                    limit = self._pace.window if sent else limit
                    if not sent:
                        await self._rest(link, lease)
            finally:
                await self._finish_marking()

    async def _rest(self, link: Link, lease: Lease) -> None:
        ready = self._wake if lease.held else lease.turn
        if ready is lease.turn:
            ready.clear()  # it may be left over from before this process was suspended
        await first_of(ready, self._stop, link.lost, timeout=self._pace.sweep)

    async def _round(self, link: Link, channel: AbstractChannel, lease: Lease, limit: int) -> int:
        """Publish one window; say how many events the broker has answered for."""
        self._wake.clear()
        try:
            events = await self._next_window(limit) if lease.held else []
            if not events:
                await self._finish_marking()
                return 0
        except StoreUnavailable as error:
            logger.warning("outbox not read", error=str(error))
            return 0
        if not lease.held:
            return 0
        outcome = await self._publish(channel, events)
        await self._note(outcome)
        if outcome.refused:
            await link.declare(now=True)
        if outcome.doubt is not None:
            raise LinkLost(f"events unconfirmed: {reason(outcome.doubt)}") from outcome.doubt
        return len(events)

    async def _next_window(self, limit: int) -> list[OutboxEvent]:
        waiting = len(self._settling) + min(len(self._refusals), 10 * self._pace.window)
        rows = await self._store.read(outbox.unpublished, limit=self._pace.window + waiting)
        return self._choose(rows, now=time.time())[:limit]

    def _choose(self, rows: Sequence[OutboxEvent], *, now: float) -> list[OutboxEvent]:
        """Take each video's oldest event, and none of a video whose oldest must wait."""
        seen: set[str] = set()
        chosen = []
        for event in rows:
            if event.seq in self._settling or event.video_id in seen:
                continue
            seen.add(event.video_id)
            if not self._refusals.waits(event.event_id, now=now):
                chosen.append(event)
        return chosen

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

    async def _note(self, outcome: Outcome) -> None:
        """Mark what was confirmed, without waiting for the disk: the next window goes out meanwhile."""
        self._count(outcome)
        await self._finish_marking()
        now = time.time()
        for event in outcome.confirmed:
            self._refusals.forget(event.event_id)
        for event, why in outcome.refused:
            self._refusals.note(event.event_id, now=now)
            logger.warning("event refused", event_id=event.event_id, reason=why)
        if outcome.confirmed or outcome.refused:
            self._settling = frozenset(event.seq for event in outcome.confirmed)
            refused = [(event.seq, why) for event, why in outcome.refused]
            self._mark = lambda: self._store.write(_mark, self._settling, refused, now=now)
            self._marked = self._mark()

    async def _finish_marking(self) -> None:
        """Wait until what was confirmed is marked, however long the store is away.

        To publish on without having marked would send the same events over and over.
        """
        while self._marked is not None:
            try:
                await self._marked
            except StoreUnavailable as error:
                logger.warning("confirmed events not marked", error=str(error), events=len(self._settling))
                await first_of(self._stop, timeout=self._pace.pause)
                if self._stop.is_set():
                    return
                self._marked = self._mark()
            else:
                self._marked, self._settling = None, frozenset()
                await crashpoints.reach("marked")

    def _count(self, outcome: Outcome) -> None:
        for event_type, count in Counter(event.type for event in outcome.confirmed).items():
            metrics.events_published.labels(event_type).inc(count)
        for why, count in Counter(why for _, why in outcome.refused).items():
            metrics.publish_failures.labels(why.partition(":")[0]).inc(count)
        if outcome.doubt is not None:
            metrics.publish_failures.labels("unconfirmed").inc()


def _mark(tx: Tx, confirmed: frozenset[int], refused: list[tuple[int, str]], *, now: float) -> None:
    outbox.mark_published(tx, confirmed, now=now)
    for seq, why in refused:
        outbox.note_error(tx, seq, why)
