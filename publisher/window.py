"""Publish a window of events and await its publisher confirms; the only module that looks below aio-pika.

The public way hands every message to aio-pika and gathers the confirmations. The fast way writes the frames
of a whole window at once, and has the library's channel count its confirmations straight into the window. For
that it relies on `aiormq.channel.Channel` as it is in 7.2: its lock, its delivery tags, its table of
confirmations. Where another release is installed the public way is taken; both say the same on the wire.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractExchange
from aio_pika.exceptions import DeliveryError, PublishError
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp import commands

from publisher.event_frames import APP_ID, publish_frames
from publisher.signing import Sign, unsigned
from schemas.event import CONTENT_TYPE, Naming, headers
from schemas.times import rfc3339
from store.outbox import OutboxEvent

UNROUTABLE = "NO_ROUTE: no queue is bound for this routing key"
REFUSED = "NACK: a queue did not take the event"
FAST = version("aiormq").startswith("7.2.")
"""Whether the library's channel is the one that the fast way was written for."""


@dataclass(slots=True)
class Outcome:
    """What became of a window.

    Only `confirmed` events are the broker's, and only `refused` ones certainly are not. Of any other nobody
    knows, and `lost` says why.
    """

    confirmed: list[OutboxEvent] = field(default_factory=list)
    refused: list[tuple[OutboxEvent, str]] = field(default_factory=list)
    lost: BaseException | None = None

    def refuse(self, event: OutboxEvent, error: DeliveryError) -> None:
        """Note that the broker gave an event back, or would not have it."""
        self.refused.append((event, UNROUTABLE if isinstance(error, PublishError) else REFUSED))


class PendingConfirms(Protocol):
    """A window that was written to the broker."""

    async def wait(self) -> Outcome:
        """Wait until the broker has answered for every event, or has fallen silent. Raises nothing."""


class _Listening:
    """Tells a broker that is slow, and answers for one event after the other, from one that has fallen silent."""

    def __init__(self, silence: float) -> None:
        self.silence = silence
        self._heard_at = time.monotonic()

    def heard(self) -> None:
        """Note that the broker answered for something."""
        self._heard_at = time.monotonic()

    async def until_done(self, *awaited: asyncio.Future[Any]) -> bool:
        """Wait until all is done; say no once the broker was silent for too long before."""
        while unfinished := [each for each in awaited if not each.done()]:
            left = self._heard_at + self.silence - time.monotonic()
            if left <= 0:
                return False
            await asyncio.wait(unfinished, timeout=left)
        return True


async def send(
    channel: AbstractChannel,
    exchange: str,
    events: Sequence[OutboxEvent],
    *,
    silence: float,
    sign: Sign = unsigned,
    fast: bool | None = None,
) -> PendingConfirms:
    """Write a window to the broker, every event mandatory and persistent.

    A broker that answers for none of them in `silence` seconds is lost. The channel must have confirms, raise on
    returns, and be used for nothing else. No two events under way may have the same id, for returned messages are told
    apart by it alone. Raises whatever aio-pika does, or TimeoutError.
    """
    if FAST if fast is None else fast:
        below = await channel.get_underlay_channel()
        if isinstance(below, Channel):
            return await _BatchedFrames(below, events, sign, _Listening(silence)).write(exchange)
    return _GatheredConfirms(await channel.get_exchange(exchange, ensure=False), events, sign, _Listening(silence))


class _GatheredConfirms:
    def __init__(
        self, exchange: AbstractExchange, events: Sequence[OutboxEvent], sign: Sign, listening: _Listening
    ) -> None:
        self._listening = listening
        self._publishing = {
            asyncio.ensure_future(exchange.publish(_message(event, sign), event.routing_key, mandatory=True)): event
            for event in events
        }
        for publishing in self._publishing:
            publishing.add_done_callback(lambda _: listening.heard())

    async def wait(self) -> Outcome:
        outcome = Outcome()
        await self._listening.until_done(*self._publishing)
        for publishing, event in self._publishing.items():
            if not publishing.done():
                publishing.cancel()
                outcome.lost = TimeoutError()
            elif publishing.cancelled():
                outcome.lost = asyncio.CancelledError()
            elif isinstance(error := publishing.exception(), DeliveryError):
                outcome.refuse(event, error)
            elif error is None and isinstance(publishing.result(), commands.Basic.Ack):
                outcome.confirmed.append(event)
            else:
                outcome.lost = error or TypeError("something other than an acknowledgement")
        return outcome


def _message(event: OutboxEvent, sign: Sign) -> Message:
    body = event.body.encode()
    return Message(
        body,
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        correlation_id=event.video_id,
        message_id=event.event_id,
        timestamp=int(event.created_at),
        type=event.type,
        app_id=APP_ID,
        headers={
            **headers(event.type, event.routing_key, Naming.source),
            "cloudEvents_id": event.event_id,
            "cloudEvents_subject": event.video_id,
            "cloudEvents_time": rfc3339(event.created_at),
            **({} if event.traceparent is None else {"traceparent": event.traceparent}),
            **sign(event.event_id, body),
        },
    )


class _PendingConfirm:
    """One event's entry in the channel's table of confirmations, in the stead of a future."""

    __slots__ = ("event", "window")

    def __init__(self, window: "_BatchedFrames", event: OutboxEvent) -> None:
        self.window = window
        self.event = event

    def done(self) -> bool:
        """Whether the broker has answered already; it answers once."""
        return False

    def set_result(self, _: object) -> None:
        """Take the broker's acknowledgement."""
        self.window.outcome.confirmed.append(self.event)
        self.window.answered(self.event)

    def set_exception(self, error: DeliveryError) -> None:
        """Take a returned message or a negative acknowledgement."""
        self.window.outcome.refuse(self.event, error)
        self.window.answered(self.event)


class _BatchedFrames:
    def __init__(self, channel: Channel, events: Sequence[OutboxEvent], sign: Sign, listening: _Listening) -> None:
        self.outcome = Outcome()
        self._listening = listening
        self._sign = sign
        self._channel = channel
        self._events = events
        self._unanswered = len(events)
        self._all_answered = channel.create_future()  # made by the channel, it fails when the channel closes

    def answered(self, event: OutboxEvent) -> None:
        """Note that the broker has answered for an event."""
        self._listening.heard()
        self._channel.message_id_delivery_tag.pop(event.event_id, None)
        self._unanswered -= 1
        if not self._unanswered and not self._all_answered.done():
            self._all_answered.set_result(None)

    async def write(self, exchange: str) -> "_BatchedFrames":
        drained: asyncio.Future[None] = self._channel.create_future()
        async with asyncio.timeout(self._listening.silence), self._channel.lock:
            sizes = self._channel.number, self._channel.max_content_size
            payload = b"".join(publish_frames(*sizes, exchange, self._events, self._sign))
            self._expect_answers()
            await self._channel.write_queue.put(ChannelFrame(payload=payload, should_close=False, drain_future=drained))
        if not await self._listening.until_done(drained):
            raise TimeoutError
        await drained
        return self

    def _expect_answers(self) -> None:
        # The channel asks of an entry only what a future offers and `_PendingConfirm` has.
        confirmations: dict[int, Any] = self._channel.confirmations
        for tag, event in enumerate(self._events, start=self._channel.delivery_tag + 1):
            confirmations[tag] = _PendingConfirm(self, event)
            self._channel.message_id_delivery_tag[event.event_id] = tag
        self._channel.delivery_tag += len(self._events)

    async def wait(self) -> Outcome:
        await self._listening.until_done(self._all_answered)
        outcome, self.outcome = self.outcome, Outcome()  # answers that come later change nothing
        if not self._all_answered.done():
            outcome.lost = TimeoutError()
        elif self._all_answered.cancelled():
            outcome.lost = asyncio.CancelledError()
        else:
            outcome.lost = self._all_answered.exception()
        return outcome
