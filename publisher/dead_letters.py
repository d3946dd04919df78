"""Park commands that nobody can handle, show what is parked, and put it back; never losing one on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, HeadersType
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, DeliveryError, QueueEmpty

from process.line_limit import LimitedLog
from process.settings import Settings
from publisher.connect import close, connect
from publisher.connection_errors import reason
from publisher.timing import TIMING, Timing
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_KEY

REASON_HEADER = "x-reason"
PARKED_AT_HEADER = "x-parked-at"
LONGEST_REASON = 1000

# What brokers note about the way that a message has come; put back, it begins anew.
_TRAVEL_HEADERS = (
    REASON_HEADER, PARKED_AT_HEADER, "x-delivery-count", "x-acquired-count", "x-death", "x-first-death-exchange",
    "x-first-death-queue", "x-first-death-reason", "x-last-death-exchange", "x-last-death-queue",
    "x-last-death-reason",
)  # fmt: skip

log = LimitedLog(structlog.get_logger(__name__))


class DeadLettersUnavailable(Exception):
    """The broker, or the queue, could not be reached; the message says why."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A command that was parked. `letter_id` is the same for the same message each time one looks."""

    letter_id: str
    message_id: str | None
    reason: str
    parked_at: datetime | None
    size: int
    beginning: bytes


async def park(channel: AbstractChannel, message: AbstractIncomingMessage, why: str, *, within: float) -> None:
    """Put a command into the dead letters' queue, persistent and confirmed, and say why it is there.

    The channel must have confirms. Raises whatever aio-pika does; the command is to be acknowledged only after.
    """
    ours: HeadersType = {REASON_HEADER: why[:LONGEST_REASON], PARKED_AT_HEADER: datetime.now(UTC)}
    letter = _copy(message, {**_own_headers(message), **ours})
    async with asyncio.timeout(within):
        try:
            await _confirmed(channel, "", letter, DEAD_QUEUE)
        except (AMQPError, OSError):
            raise
        except Exception as error:  # some property that could be read cannot be written
            bare = Message(message.body, headers=ours, delivery_mode=_KEEP)
            log.warning("dead letter without its properties", reason=reason(error))
            await _confirmed(channel, "", bare, DEAD_QUEUE)
    log.warning("command parked", message_id=message.message_id, reason=why[:LONGEST_REASON])


async def listed(settings: Settings, *, limit: int, timing: Timing = TIMING) -> list[DeadLetter]:
    """Look at the oldest parked commands and leave them there. Raises `DeadLettersUnavailable`."""
    letters = []
    async with _opened(settings, timing) as channel:
        async for message in _each(channel, limit, timing):
            letters.append(_described(message))
    return letters


async def requeue(settings: Settings, wanted: Collection[str] | None, *, timing: Timing = TIMING) -> set[str]:
    """Put parked commands back into the queue that they came from: all for None, else those of these ids.

    Ids are letters' ids or message ids. Each is taken from the dead letters only once the broker has confirmed
    its copy, so a crash may put one back twice and loses none. Gives the ids that were put back (letters' ids
    for None). Raises `DeadLettersUnavailable`, which says how many were put back before.
    """
    return await _fetch(settings, wanted, copies=True, timing=timing)


async def drop(settings: Settings, wanted: Collection[str], *, timing: Timing = TIMING) -> set[str]:
    """Take parked commands away for good; ids as for `requeue`. Raises `DeadLettersUnavailable`."""
    return await _fetch(settings, wanted, copies=False, timing=timing)


async def _fetch(settings: Settings, wanted: Collection[str] | None, *, copies: bool, timing: Timing) -> set[str]:
    done: set[str] = set()
    try:
        async with _opened(settings, timing) as channel:
            async for message in _each(channel, None, timing):
                letter = _described(message)
                named = {letter.letter_id} if wanted is None else {letter.letter_id, letter.message_id} & {*wanted}
                if named:
                    async with asyncio.timeout(timing.confirm):
                        if copies:
                            await _confirmed(channel, COMMANDS, _copy(message, _own_headers(message)), SUBMIT_KEY)
                        await message.ack()
                    done |= {name for name in named if name}
    except (DeliveryError, TimeoutError) as error:
        why = "the queue of commands is full" if isinstance(error, DeliveryError) else reason(error)
        what = "put back" if copies else "dropped"
        raise DeadLettersUnavailable(f"{why}; {len(done)} were {what} before") from error
    return done


_KEEP = DeliveryMode.PERSISTENT


async def _confirmed(channel: AbstractChannel, exchange: str, letter: Message, key: str) -> None:
    to = channel.default_exchange if not exchange else await channel.get_exchange(exchange, ensure=False)
    await to.publish(letter, key, mandatory=True)


def _own_headers(message: AbstractIncomingMessage) -> HeadersType:
    return {name: value for name, value in message.headers.items() if name not in _TRAVEL_HEADERS}


def _copy(message: AbstractIncomingMessage, headers: HeadersType) -> Message:
    """Copy a message so that it lasts: persistent, and without an end to its life."""
    return Message(
        message.body,
        headers=headers,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        correlation_id=message.correlation_id,
        message_id=message.message_id,
        reply_to=message.reply_to,
        timestamp=message.timestamp,
        type=message.type,
        app_id=message.app_id,
        delivery_mode=_KEEP,
    )


@asynccontextmanager
async def _opened(settings: Settings, timing: Timing) -> AsyncIterator[AbstractChannel]:
    """Open a channel; what was taken over it and not acknowledged is back in its place afterwards."""
    try:
        connection = await connect(settings, timing, name="dead letters")
    except Exception as error:
        raise DeadLettersUnavailable(reason(error)) from error
    try:
        async with asyncio.timeout(timing.declare):
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        yield channel
    except ChannelNotFoundEntity as error:
        raise DeadLettersUnavailable(reason(error)) from error
    finally:
        await close(connection, within=timing.close)


async def _each(channel: AbstractChannel, limit: int | None, timing: Timing) -> AsyncIterator[AbstractIncomingMessage]:
    """Take each message that is there now, without acknowledging it."""
    queue = await channel.declare_queue(DEAD_QUEUE, passive=True, timeout=timing.declare)
    count = queue.declaration_result.message_count or 0
    with suppress(QueueEmpty):
        for _ in range(count if limit is None else min(count, limit)):
            message = await queue.get(timeout=timing.declare)
            if message is not None:
                yield message


def _described(message: AbstractIncomingMessage) -> DeadLetter:
    seal = hashlib.sha256(repr((message.message_id, message.correlation_id)).encode() + message.body)
    return DeadLetter(
        letter_id=seal.hexdigest()[:12],
        message_id=message.message_id,
        reason=_reason(message),
        parked_at=_parked_at(message),
        size=len(message.body),
        beginning=message.body[:400],
    )


def _reason(message: AbstractIncomingMessage) -> str:
    why = message.headers.get(REASON_HEADER) or message.headers.get("x-first-death-reason")
    return str(why) if why else "not said"


def _parked_at(message: AbstractIncomingMessage) -> datetime | None:
    at = message.headers.get(PARKED_AT_HEADER)
    return at if isinstance(at, datetime) else None
