"""A subscriber with a durable quorum queue that survives all that happens to the broker, and notes every delivery."""

import asyncio
import hashlib
import itertools
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from tests.support.broker import close

TERMINAL = frozenset({"video.ready", "video.failed"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as it came; `again` says that the broker itself delivered it before."""

    at: float
    event_id: str
    type: str
    video_id: str
    digest: bytes
    again: bool


@dataclass
class Subscriber:
    """Takes everything from one queue."""

    urls: str
    """One address, or several with commas between."""
    queue: str
    deliveries: list[Delivery] = field(default_factory=list)
    documents: dict[str, Any] = field(default_factory=dict)
    """The event of each id, as it came first."""
    ended: dict[str, float] = field(default_factory=dict)
    """When the terminal event of each video came first."""
    ready: dict[str, float] = field(default_factory=dict)
    """The same of those that became ready."""
    duplicates: list[Delivery] = field(default_factory=list)
    redelivered: set[str] = field(default_factory=set)
    """The events whose first arrival was a repetition of the broker's, which keeps no order."""

    async def listen(self, stop: asyncio.Event) -> None:
        """Take events until told to stop, over as many connections as it needs."""
        urls = itertools.cycle(self.urls.split(","))
        while not stop.is_set():
            try:
                await self._one_connection(next(urls), stop)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
            except Exception:  # noqa: S110 - whatever the broker suffers, the next connection is the answer
                pass
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.2)

    async def _one_connection(self, url: str, stop: asyncio.Event) -> None:
        lost = asyncio.Event()
        async with asyncio.timeout(5):
            connection = await aio_pika.connect(url, heartbeat=5)
        try:
            connection.close_callbacks.add(lambda *_: lost.set())
            async with asyncio.timeout(5):
                channel = await connection.channel()
                channel.close_callbacks.add(lambda *_: lost.set())
                await channel.set_qos(prefetch_count=200)
                queue = await channel.get_queue(self.queue, ensure=False)
                await queue.consume(self._take)
            waits = [asyncio.ensure_future(event.wait()) for event in (lost, stop)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        finally:
            await close(connection)

    async def _take(self, message: AbstractIncomingMessage) -> None:
        event = json.loads(message.body)
        digest = hashlib.sha256(message.body).digest()
        again = bool(message.redelivered)
        delivery = Delivery(time.time(), str(message.message_id), event["type"], event["subject"], digest, again)
        if delivery.event_id in self.documents:
            if not again:
                self.duplicates.append(delivery)
        else:
            self.documents[delivery.event_id] = event
            if again:
                self.redelivered.add(delivery.event_id)
        if delivery.type in TERMINAL:
            self.ended.setdefault(delivery.video_id, delivery.at)
        if delivery.type == "video.ready":
            self.ready.setdefault(delivery.video_id, delivery.at)
        self.deliveries.append(delivery)
        await message.ack()
