"""What becomes of one command: it is accepted, refused or parked, and whoever asked is answered."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from intake.commands import Reply
from process import failpoints
from process.asyncio_events import wait
from publisher import dead_letters
from publisher.frames import UNDECODABLE
from publisher.replies import Fate, Replies
from publisher.timing import Timing
from schemas.trace import NO_TRACE, Trace, read_trace
from store.database import StoreUnavailable

HOPELESS_DELIVERIES = 15
"""A command that comes this often and was never dealt with, as one that ends every process, is parked unread."""

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


class Processing:
    """What is done to each command; `over` is set where no more of them should be taken."""

    def __init__(
        self,
        handler: Handler,
        parking: AbstractChannel,
        replies: Replies,
        timing: Timing,
        *,
        stop: asyncio.Event,
        over: asyncio.Event,
    ) -> None:
        self._handler = handler
        self._parking = parking
        self._replies = replies
        self._timing = timing
        self._stop = stop
        self._over = over

    async def run(self, message: AbstractIncomingMessage) -> str:
        """Accept, refuse or park one command; say which."""
        if UNDECODABLE in message.headers:
            await self.dead_letter(message, "the properties of the message cannot be decoded")
            return "unreadable"
        if deliveries(message) >= HOPELESS_DELIVERIES:
            await self.dead_letter(message, f"was delivered {deliveries(message)} times and never dealt with")
            return "hopeless"
        reply = await self._handled(_command(message))
        if not reply.readable:
            await self.dead_letter(message, f"the body is not a JSON object: {_why(reply.document)}")
            return "unreadable"
        if reply.accepted:
            await failpoints.failpoint("command accepted")
        await self._send_reply(message, reply)
        return "accepted" if reply.accepted else "refused"

    async def _send_reply(self, message: AbstractIncomingMessage, reply: Reply) -> None:
        """Answer where that is wanted; park a refusal that nobody can be told of."""
        why = _why(reply.document)
        if message.reply_to:
            fate = await self._replies.send(_answer(reply, message.correlation_id), message.reply_to)
            if fate is Fate.SENT:
                return
            why += f"; and the reply could not be sent: {_LOST[fate].format(message.reply_to)}"
        if not reply.accepted:
            await self.dead_letter(message, why)

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

    async def dead_letter(self, message: AbstractIncomingMessage, why: str) -> None:
        """Park a command with its reason."""
        await dead_letters.park(self._parking, message, why, within=self._timing.confirm)


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
