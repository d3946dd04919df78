"""Take commands from their queue: what a microservice submits by publishing.

A command is acknowledged only when whatever it led to is safe: the video is in the store, or the dead letter
is confirmed. Until then its delivery may be repeated, and `message_id`, which the handler takes for the
idempotency key, keeps a repetition from being a second video. Every delivery that ends with its connection is
charged to all commands in hand, so after a lost link they are taken one by one until a new one comes: only a
poison message is then charged for what it does.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from aio_pika import DeliveryMode, IncomingMessage, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelClosed, ChannelInvalidStateError, DeliveryError
from aiormq.abc import DeliveredMessage
from pamqp import commands as amqp

from intake.commands import Reply
from process import failpoints, metrics
from process.asyncio_events import wait, wait_any
from process.settings import Settings
from publisher import dead_letters
from publisher.connection import BrokerConnection, reason
from publisher.frames import UNDECODABLE
from publisher.replies import Fate, Replies
from publisher.timing import Timing
from publisher.topology import SUBMIT_QUEUE
from schemas.trace import NO_TRACE, Trace, read_trace
from store.database import StoreUnavailable

FAILED_DELIVERIES = 4
"""A command that breaks the handler at this delivery is parked."""

HOPELESS_DELIVERIES = 15
"""A command that comes this often and was never dealt with, as one that ends every process, is parked unread."""

_UNANSWERED = (ChannelInvalidStateError, ChannelClosed, DeliveryError, ConnectionError, TimeoutError)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it came; `message_id` is its idempotency key."""

    body: bytes
    message_id: str | None
    content_type: str | None
    trace: Trace = NO_TRACE


Handler = Callable[[Command], Awaitable[Reply]]
"""Accepts a command durably or says why not. Raises `StoreUnavailable` where it should be tried again."""

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
        self._handler = handler
        self._link = link
        self._parking = parking
        self._replies = replies
        self._stop = stop
        self._timing = timing
        self._many = asyncio.Event()
        self._over = asyncio.Event()
        self._hands: set[asyncio.Task[None]] = set()
        self._bytes = 0

    async def run(self) -> None:
        """Take commands until it is over, then finish what is in hand. Raises `LinkLost`."""
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
        hand = asyncio.create_task(self._take(message))
        self._hands.add(hand)
        hand.add_done_callback(self._hands.discard)

    def _choose_way(self, message: AbstractIncomingMessage) -> None:
        """Go on many at a time once a new command comes, and one by one once too many bytes are in hand."""
        if self._bytes > self._timing.hand_bytes:
            self._over.set()
        elif not message.redelivered:
            self._many.set()

    async def _take(self, message: AbstractIncomingMessage) -> None:
        try:
            outcome = await self._process(message)
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
        """Have a command that broke the handler delivered again, or park it at its fourth delivery."""
        try:
            times = deliveries(message)
            if times >= FAILED_DELIVERIES:
                await self._dead_letter(
                    message, f"failed at {times} deliveries, last with {type(error).__name__}: {error}"
                )
                await message.ack()
            else:
                await wait(self._stop, timeout=self._timing.pause)
                await message.reject(requeue=True)  # from RabbitMQ 4.3 on a nack would not be counted
        except _UNANSWERED as trouble:
            self._link.mark_lost(f"a command could not be given back: {reason(trouble)}")

    async def _process(self, message: AbstractIncomingMessage) -> str:
        """Accept, refuse or park one command; say which."""
        if UNDECODABLE in message.headers:
            await self._dead_letter(message, "the properties of the message cannot be decoded")
            return "unreadable"
        if deliveries(message) >= HOPELESS_DELIVERIES:
            await self._dead_letter(message, f"was delivered {deliveries(message)} times and never dealt with")
            return "hopeless"
        reply = await self._handled(_command(message))
        if not reply.readable:
            await self._dead_letter(message, f"the body is not a JSON object: {_why(reply.document)}")
            return "unreadable"
        if reply.accepted:
            await failpoints.failpoint("command accepted")
        await self._tell(message, reply)
        return "accepted" if reply.accepted else "refused"

    async def _tell(self, message: AbstractIncomingMessage, reply: Reply) -> None:
        """Answer where that is wanted; park a refusal that nobody can be told of."""
        why = _why(reply.document)
        if message.reply_to:
            fate = await self._replies.send(_answer(reply, message.correlation_id), message.reply_to)
            if fate is Fate.SENT:
                return
            why += f"; and the reply could not be sent: {_LOST[fate].format(message.reply_to)}"
        if not reply.accepted:
            await self._dead_letter(message, why)

    async def _handled(self, command: Command) -> Reply:
        """Hold a command for a while when the store is away, and have no more of them taken."""
        until = time.monotonic() + self._timing.hold
        while True:
            try:
                return await self._handler(command)
            except StoreUnavailable as error:
                if not self._over.is_set():
                    logger.warning("command waits for the store", message_id=command.message_id, error=str(error))
                    self._over.set()
                await wait(self._stop, timeout=self._timing.pause)
                if self._stop.is_set() or time.monotonic() >= until:
                    raise

    async def _dead_letter(self, message: AbstractIncomingMessage, why: str) -> None:
        await dead_letters.park(self._parking, message, why, within=self._timing.confirm)


async def _finished(in_flight: set[asyncio.Task[None]]) -> None:
    with suppress(ValueError):  # none is left
        await asyncio.wait(set(in_flight))


def _command(message: AbstractIncomingMessage) -> Command:
    trace = read_trace(message.headers.get("traceparent"), message.headers.get("tracestate"))
    return Command(message.body, message.message_id, message.content_type, trace)


def deliveries(message: AbstractIncomingMessage) -> int:
    """Count how often a command was delivered, this time included."""
    before = message.headers.get("x-delivery-count")
    return 1 + before if isinstance(before, int) and before > 0 else 1


_LOST = {
    Fate.NOT_ALLOWED: "{} is not a queue that commands may name; REELBUS_REPLY_TO_PREFIXES allows more",
    Fate.REFUSED: "{} refused it",
    Fate.UNCONFIRMED: "{} did not confirm it",
}


def _answer(reply: Reply, correlation_id: str | None) -> Message:
    return Message(
        json.dumps(reply.document, ensure_ascii=False, separators=(",", ":")).encode(),
        content_type="application/json" if reply.accepted else "application/problem+json",
        correlation_id=correlation_id,
        delivery_mode=DeliveryMode.NOT_PERSISTENT,
        app_id="reelbus",
    )


def _why(problem: dict[str, Any]) -> str:
    return f"{problem.get('code', 'refused')}: {problem.get('detail', '')}"[:600]
