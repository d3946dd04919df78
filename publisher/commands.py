"""Take commands from their queue: what a microservice submits by publishing.

A command is acknowledged only when whatever it led to is safe: the video is in the store and the reply, or
the dead letter, is confirmed. Until then its delivery may be repeated, and `message_id`, which the handler
takes for the idempotency key, keeps a repetition from being a second video.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelClosed, ChannelInvalidStateError, DeliveryError

from process import crashpoints, metrics
from process.stopping import wait
from publisher.connection import Link, reason
from publisher.pace import Pace
from publisher.topology import DEAD_QUEUE, SUBMIT_QUEUE
from store.database import StoreUnavailable

REASON_HEADER = "x-reason"

_UNANSWERED = (ChannelInvalidStateError, ChannelClosed, DeliveryError, ConnectionError, TimeoutError)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it came; `message_id` is its idempotency key."""

    body: bytes
    message_id: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer: the video where the command was accepted, else the problem document."""

    document: dict[str, Any]
    accepted: bool


Handler = Callable[[Command], Awaitable[Reply]]
"""Accepts a command durably or says why not. Raises `StoreUnavailable` where it should be tried again."""


class Commands:
    """The consumer of the command queue."""

    def __init__(self, handler: Handler, *, stop: asyncio.Event, pace: Pace) -> None:
        self._handler = handler
        self._stop = stop
        self._pace = pace

    async def work(self, link: Link) -> None:
        """Take commands over one connection until told to stop, and finish those in hand."""
        consuming = await link.consuming_channel(prefetch=self._pace.prefetch)
        answering = await link.channel()
        hands: set[asyncio.Task[None]] = set()

        async def take(message: AbstractIncomingMessage) -> None:
            # Not in the library's own task, which it cancels with the channel, wherever the work may be.
            hand = asyncio.create_task(self._take(message, answering, link))
            hands.add(hand)
            hand.add_done_callback(hands.discard)

        async with asyncio.timeout(self._pace.declare):
            queue = await consuming.get_queue(SUBMIT_QUEUE, ensure=False)
            tag = await queue.consume(take)
        link.state.useful()
        try:
            await link.until(self._stop)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.stop):
                    await queue.cancel(tag)
                    await _finished(hands)
        finally:
            for hand in hands:
                hand.cancel()
            await _finished(hands)

    async def _take(self, message: AbstractIncomingMessage, answering: AbstractChannel, link: Link) -> None:
        try:
            outcome = await self._deal_with(message, answering)
            await message.ack()
        except _UNANSWERED as error:
            # Unacknowledged it would stay here for ever; it is delivered again once this connection is gone.
            link.doubt(f"a command could not be answered: {reason(error)}")
            outcome = "redelivered"
        except StoreUnavailable:
            outcome = "redelivered"
        except Exception:
            logger.exception("command failed", message_id=message.message_id)
            outcome = "failed"
            await self._give_back(message)
        metrics.commands.labels(outcome).inc()

    async def _give_back(self, message: AbstractIncomingMessage) -> None:
        """Have a command that broke the handler delivered again; the queue parks it after a few times."""
        await wait(self._stop, timeout=self._pace.pause)
        with suppress(ChannelInvalidStateError, ChannelClosed, ConnectionError):
            await message.nack(requeue=True)

    async def _deal_with(self, message: AbstractIncomingMessage, answering: AbstractChannel) -> str:
        """Accept, refuse or park one command; say which."""
        if not _is_json_object(message.body):
            await self._park(message, answering, "the body is not a JSON object")
            return "unreadable"
        reply = await self._handled(Command(message.body, message.message_id, message.content_type))
        if reply.accepted:
            await crashpoints.reach("command accepted")
        if message.reply_to:
            await self._answer(message, answering, reply)
        elif not reply.accepted:
            await self._park(message, answering, _why(reply.document))
        return "accepted" if reply.accepted else "refused"

    async def _handled(self, command: Command) -> Reply:
        """Hold a command while the store is away: to give it back would count towards parking it."""
        while True:
            try:
                return await self._handler(command)
            except StoreUnavailable as error:
                logger.warning("command waits for the store", message_id=command.message_id, error=str(error))
                await wait(self._stop, timeout=self._pace.pause)
                if self._stop.is_set():
                    raise

    async def _answer(self, message: AbstractIncomingMessage, answering: AbstractChannel, reply: Reply) -> None:
        answer = Message(
            json.dumps(reply.document, ensure_ascii=False, separators=(",", ":")).encode(),
            content_type="application/json" if reply.accepted else "application/problem+json",
            correlation_id=message.correlation_id,
            delivery_mode=DeliveryMode.NOT_PERSISTENT,
            app_id="reelbus",
        )
        # Not mandatory: who asked may have gone, and the command is dealt with all the same.
        async with asyncio.timeout(self._pace.confirm):
            await answering.default_exchange.publish(answer, str(message.reply_to), mandatory=False)

    async def _park(self, message: AbstractIncomingMessage, answering: AbstractChannel, why: str) -> None:
        letter = Message(
            message.body,
            headers={**message.headers, REASON_HEADER: why},
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            correlation_id=message.correlation_id,
            message_id=message.message_id,
            reply_to=message.reply_to,
            timestamp=message.timestamp,
            type=message.type,
            app_id=message.app_id,
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        async with asyncio.timeout(self._pace.confirm):
            await answering.default_exchange.publish(letter, DEAD_QUEUE, mandatory=True)
        logger.warning("command parked", message_id=message.message_id, reason=why)


async def _finished(hands: set[asyncio.Task[None]]) -> None:
    if hands:
        await asyncio.wait(set(hands))


def _why(problem: dict[str, Any]) -> str:
    return f"{problem.get('code', 'refused')}: {problem.get('detail', '')}"[:1000]


def _is_json_object(body: bytes) -> bool:
    """Say whether a body is a JSON object in UTF-8; NaN and its like are no JSON."""
    try:
        return isinstance(json.loads(body.decode(), parse_constant=_refuse), dict)
    except (ValueError, RecursionError):
        return False


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
