"""Take commands from their queue: what a microservice submits by publishing.

A command is acknowledged only when whatever it led to is safe: the video is in the store, or the dead letter
is confirmed. Until then its delivery may be repeated, and `message_id`, which the handler takes for the
idempotency key, keeps a repetition from being a second video. Every delivery that ends with its connection is
charged to all commands in hand, so after a lost link they are taken one by one until a new one comes: only a
poison message is then charged for what it does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from aio_pika import IncomingMessage
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelClosed, ChannelInvalidStateError, DeliveryError
from aiormq.abc import DeliveredMessage
from pamqp import commands as amqp

from process import metrics
from process.asyncio_events import wait, wait_any
from process.settings import Settings
from publisher.command_processing import Handler, Processing, deliveries
from publisher.connection import BrokerConnection
from publisher.connection_errors import reason
from publisher.frames import UNDECODABLE
from publisher.replies import Replies
from publisher.timing import Timing
from publisher.topology import SUBMIT_QUEUE
from store.database import StoreUnavailable

FAILED_DELIVERIES = 4
"""A command that breaks the handler at this delivery is parked."""

_UNANSWERED = (ChannelInvalidStateError, ChannelClosed, DeliveryError, ConnectionError, TimeoutError)

logger = structlog.get_logger(__name__)


StoreCheck = Callable[[], Awaitable[object]]
"""Raises `StoreUnavailable` while the store is away."""


class Commands:
    """The consumer of the command queue."""

    def __init__(
        self, settings: Settings, handler: Handler, store_check: StoreCheck, *, stop: asyncio.Event, timing: Timing
    ) -> None:
        self._settings = settings
        self._handler = handler
        self._store_check = store_check
        self._stop = stop
        self._timing = timing

    async def work(self, link: BrokerConnection) -> None:
        """Take commands over one connection until told to stop, and finish those in hand."""
        replies = Replies(self._settings, self._timing)
        try:
            parking = await link.channel()
            while not self._stop.is_set():
                await self._store_is_there(link)
                await _Taking(self._handler, link, parking, replies, self._stop, self._timing).run()
        finally:
            await replies.close()

    async def _store_is_there(self, link: BrokerConnection) -> None:
        """Wait for the store before anything is taken: what is in hand meanwhile would be charged a delivery."""
        while not self._stop.is_set():
            try:
                await self._store_check()
            except StoreUnavailable as error:
                logger.warning("commands wait for the store", error=str(error))
                await wait_any(self._stop, link.lost, timeout=self._timing.pause)
                link.raise_if_lost()
            else:
                return


class _Taking:
    """A consumer on a channel of its own: one by one at first, many at once after a new command has come.

    It ends when the store is away or too many bytes are in hand; the next one begins one by one again.
    """

    def __init__(
        self,
        handler: Handler,
        link: BrokerConnection,
        parking: AbstractChannel,
        replies: Replies,
        stop: asyncio.Event,
        timing: Timing,
    ) -> None:
        self._link = link
        self._stop = stop
        self._timing = timing
        self._many = asyncio.Event()
        self._over = asyncio.Event()
        self._processing = Processing(handler, parking, replies, timing, stop=stop, over=self._over)
        self._hands: set[asyncio.Task[None]] = set()
        self._bytes = 0

    async def run(self) -> None:
        """Take commands until it is over, then finish what is in hand. Raises `ConnectionLost`."""
        channel = await self._link.consuming_channel(prefetch=1)
        try:
            tag = await self._consume(channel)
            await wait_any(self._many, self._over, self._stop, self._link.lost)
            if self._many.is_set() and not self._over.is_set() and not self._stop.is_set():
                tag = await self._consume_many(channel, tag)
                await wait_any(self._over, self._stop, self._link.lost)
            await self._end(channel, tag)
        finally:
            for hand in self._hands:
                hand.cancel()
            await _finished(self._hands)
        await self._link.leave(channel)

    async def _consume(self, channel: AbstractChannel) -> str:
        below = await channel.get_underlay_channel()
        async with asyncio.timeout(self._timing.declare):
            consuming = await below.basic_consume(SUBMIT_QUEUE, self._delivered)
        self._link.state.clear_error()
        return str(consuming.consumer_tag)

    async def _consume_many(self, channel: AbstractChannel, tag: str) -> str:
        """Consume anew, for a prefetch count holds for the consumers that begin after it."""
        below = await channel.get_underlay_channel()
        async with asyncio.timeout(self._timing.declare):
            await below.basic_cancel(tag)
            await channel.set_qos(prefetch_count=self._timing.prefetch)
        return await self._consume(channel)

    async def _end(self, channel: AbstractChannel, tag: str) -> None:
        """Take no more, and finish what is in hand: when told to stop only for so long."""
        if not self._stop.is_set():
            self._link.raise_if_lost()
        below = await channel.get_underlay_channel()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.stop if self._stop.is_set() else None):
                await below.basic_cancel(tag)
                await self._finished_or_lost()

    async def _finished_or_lost(self) -> None:
        lost = asyncio.ensure_future(self._link.lost.wait())
        try:
            while self._hands and not lost.done():
                await asyncio.wait({*self._hands, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
        if not self._stop.is_set():
            self._link.raise_if_lost()

    async def _delivered(self, delivered: DeliveredMessage) -> None:
        try:
            message = IncomingMessage(delivered)
        except Exception as error:  # decoded, and still of no use to the library
            delivered.header.properties = amqp.Basic.Properties(headers={UNDECODABLE: type(error).__name__})
            message = IncomingMessage(delivered)
        self._bytes += len(message.body)
        self._choose_way(message)
        # Not in the library's own task, which it cancels with the channel, wherever the work may be.
        hand = asyncio.create_task(self._on_message(message))
        self._hands.add(hand)
        hand.add_done_callback(self._hands.discard)

    def _choose_way(self, message: AbstractIncomingMessage) -> None:
        """Go on many at a time once a new command comes, and one by one once too many bytes are in hand."""
        if self._bytes > self._timing.hand_bytes:
            self._over.set()
        elif not message.redelivered:
            self._many.set()

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        try:
            outcome = await self._processing.run(message)
            await message.ack()
        except _UNANSWERED as error:
            # Unacknowledged it would stay here for ever; it is delivered again once this connection is gone.
            self._link.mark_lost(f"a command could not be dealt with: {reason(error)}")
            outcome = "redelivered"
        except StoreUnavailable:
            outcome = "redelivered"  # by the end of this channel, which comes once nothing is in hand
        except Exception as error:
            logger.exception("command failed", message_id=message.message_id)
            outcome = "failed"
            await self._failed(message, error)
        finally:
            self._bytes -= len(message.body)
        metrics.commands.labels(outcome).inc()

    async def _failed(self, message: AbstractIncomingMessage, error: Exception) -> None:
        """Requeue a command that broke the handler, or dead-letter it at its fourth delivery."""
        try:
            times = deliveries(message)
            if times >= FAILED_DELIVERIES:
                await self._processing.dead_letter(
                    message, f"failed at {times} deliveries, last with {type(error).__name__}: {error}"
                )
                await message.ack()
            else:
                await wait(self._stop, timeout=self._timing.pause)
                await message.reject(requeue=True)  # from RabbitMQ 4.3 on a nack would not be counted
        except _UNANSWERED as trouble:
            self._link.mark_lost(f"a command could not be given back: {reason(trouble)}")


async def _finished(in_flight: set[asyncio.Task[None]]) -> None:
    with suppress(ValueError):  # none is left
        await asyncio.wait(set(in_flight))
