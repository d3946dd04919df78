"""Stay connected to the broker: one supervised connection for each thing done with it.

aio-pika's own reconnecting is not used: it gives up if the broker is down at the start, repeats nothing that
was unconfirmed, and restores channels about which there may be doubt. Here a connection about which there is
any doubt is dropped whole, and a new one is built.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ChannelClosed,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    ConnectionClosed,
    ProbableAuthenticationError,
)

from process import metrics
from process.asyncio_events import wait_any
from process.settings import Settings
from publisher import topology
from publisher.frames import ForgivingConnection
from publisher.timing import Timing

HEARTBEAT_SECONDS = 10
"""A dead peer is noticed after at most three of these and a little; RabbitMQ advises 5 to 20."""

logger = structlog.get_logger(__name__)


class ConnectionLost(Exception):
    """The connection can no longer be trusted: build a new one. The message says why, without any secret."""


@dataclass(slots=True)
class BrokerState:
    """Whether the broker is there for us; `since` is in Unix seconds, `last_error` a sentence for people."""

    connected: bool = False
    since: float = field(default_factory=time.time)
    last_error: str | None = None
    dead_letters: int | None = None
    """How many commands are parked, as of a few seconds ago; None while nobody knows."""
    commands: "BrokerState | None" = None
    """How the link that takes commands is doing, where this process has one."""

    def up(self, *, now: float) -> None:
        """Note that a connection is open and the topology declared."""
        if not self.connected:
            self.connected, self.since = True, now

    def clear_error(self) -> None:
        """Note that the connection did what it is there for."""
        self.last_error = None

    def down(self, reason: str, *, now: float) -> None:
        """Note that there is no connection, and why."""
        if self.connected:
            self.connected, self.since = False, now
        self.last_error = reason


class BrokerConnection:
    """One open connection, the event that says it is lost, and what is made known of it."""

    def __init__(
        self, connection: AbstractConnection, part: topology.Declare, exchange: str, state: BrokerState, timing: Timing
    ) -> None:
        self.connection = connection
        self.state = state
        self.lost = asyncio.Event()
        self._why = "the broker closed the connection"
        self._part = part
        self._exchange = exchange
        self._timing = timing
        self._asking: asyncio.Task[None] | None = None
        connection.close_callbacks.add(self._on_closed)

    def _on_closed(self, _: object, error: BaseException | None) -> None:
        self.mark_lost(self._why if error is None else reason(error))

    def mark_lost(self, why: str) -> None:
        """Have whoever waits for `lost` give this connection up."""
        if not self.lost.is_set():
            self._why = why
            self.lost.set()

    def raise_if_lost(self) -> None:
        """Raise `ConnectionLost` if the connection, or a channel opened by `channel`, is gone."""
        if self.lost.is_set():
            raise ConnectionLost(self._why)

    async def until(self, stop: asyncio.Event) -> None:
        """Wait until told to stop. Raises `ConnectionLost` if the connection is lost before."""
        await wait_any(stop, self.lost)
        if not stop.is_set():
            self.raise_if_lost()

    async def channel(self) -> AbstractChannel:
        """Open a channel with confirms, on which a message that no queue takes raises."""
        async with asyncio.timeout(self._timing.connect):
            channel = await self.connection.channel(publisher_confirms=True, on_return_raises=True)
        channel.close_callbacks.add(self._on_closed)
        return channel

    async def leave(self, channel: AbstractChannel) -> None:
        """Close one of its channels, which is no reason for doubt; unacknowledged messages go back to their queue."""
        channel.close_callbacks.discard(self._on_closed)
        async with asyncio.timeout(self._timing.close):
            await channel.close()

    async def consuming_channel(self, *, prefetch: int) -> AbstractChannel:
        """Open a channel to consume on; a consumer that the broker ends meanwhile makes the connection lost."""
        channel = await self.channel()
        async with asyncio.timeout(self._timing.declare):
            await channel.set_qos(prefetch_count=prefetch)
            below = await channel.get_underlay_channel()
        below.on_consumer_cancel_callbacks.add(self._on_consumer_cancelled)
        return channel

    def _on_consumer_cancelled(self, _: object) -> None:
        if self._asking is None:
            self._asking = asyncio.create_task(self._say_why_cancelled())

    async def _say_why_cancelled(self) -> None:
        """Tell a deleted queue from a consumer time-out, which RabbitMQ 4.3 both answers by a cancel."""
        try:
            absent = await topology.missing(self.connection, self._part, self._exchange, within=self._timing.declare)
        except (Exception, asyncio.CancelledError) as error:
            self.mark_lost(f"the broker ended the consumer, and then: {reason(error)}")
        else:
            gone = f"the queue was deleted: {', '.join(absent)}"
            self.mark_lost(gone if absent else "the broker ended the consumer, as after its consumer time-out")

    async def declare(self) -> None:
        """Have its part of the topology there. Raises whatever aio-pika does."""
        await topology.declare(self.connection, self._part, self._exchange, within=self._timing.declare)

    async def look(self) -> None:
        """See how many commands are parked."""
        depth = await topology.depth(self.connection, topology.DEAD_QUEUE, within=self._timing.declare)
        self.state.dead_letters = depth
        if depth is not None:
            metrics.dead_letters.set(depth)

    async def keep_declared(self) -> None:
        """Have it there again and again, so that what was deleted comes back; doubt the connection if it cannot be."""
        try:
            await self.look()
            while not _is_cancelled():
                await asyncio.sleep(self._timing.topology)
                await self.declare()
                await self.look()
        except (Exception, asyncio.CancelledError) as error:  # the library's cancellation, or the end of `link`
            self.mark_lost(reason(error))


def _is_cancelled() -> bool:
    """Say whether this task was told to end, even where the library swallowed that: as it does closing a channel."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@dataclass(slots=True)
class Addresses:
    """The broker's addresses in turn: one whose connection came to nothing is tried last the next time.

    A node that is cut off from its cluster lets clients in and does nothing for them.
    """

    urls: Sequence[str]
    _place: int = 0

    def in_turn(self) -> Sequence[str]:
        """List them, the one to be tried first before the others."""
        return [*self.urls[self._place :], *self.urls[: self._place]]

    def used(self, url: str) -> None:
        """Note which of them let us in."""
        self._place = self.urls.index(url)

    def failed(self) -> None:
        """Try the next one first."""
        self._place = (self._place + 1) % len(self.urls)


async def connect(
    settings: Settings, timing: Timing, *, name: str, addresses: Addresses | None = None
) -> AbstractConnection:
    """Open a connection to the first address that lets us in.

    Raises whatever aio-pika does, or TimeoutError; `reason` puts it into words.
    """
    addresses = addresses or Addresses(settings.amqp_urls)
    *others, last = addresses.in_turn()
    for url in others:
        try:
            connection = await _connect(url, timing, name)
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            logger.info("broker tried", link=name, reason=reason(error))
        else:
            addresses.used(url)
            return connection
    connection = await _connect(last, timing, name)
    addresses.used(last)
    return connection


async def _connect(url: str, timing: Timing, name: str) -> AbstractConnection:
    async with asyncio.timeout(timing.connect):
        return await aio_pika.connect(
            url,
            heartbeat=HEARTBEAT_SECONDS,
            client_properties={"connection_name": f"reelbus {name}"},
            connection_class=ForgivingConnection,
        )


async def close(connection: AbstractConnection, *, within: float) -> None:
    """Close a connection, or leave it to its fate when that takes too long. Raises nothing."""
    # In a task of its own, so that neither a frozen broker nor the library's cancellations reach us.
    closing = asyncio.ensure_future(connection.close())
    await asyncio.wait([closing], timeout=within)
    if not closing.cancel() and not closing.cancelled():
        closing.exception()


_REASONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (ConnectionLost, "{}"),
    (asyncio.CancelledError, "the broker fell silent"),
    (TimeoutError, "the broker did not answer in time"),
    ((AuthenticationError, ProbableAuthenticationError), "the broker refused our credentials"),
    (ConnectionClosed, "the broker closed the connection: {}"),
    (ChannelPreconditionFailed, "the topology does not match: {}"),
    (ChannelNotFoundEntity, "something of the topology is missing: {}"),
    (ChannelClosed, "the broker closed the channel: {}"),
    ((AMQPConnectionError, ChannelInvalidStateError, OSError), "the broker cannot be reached"),
)


_TLS = re.compile(r"\[SSL: (\w+)\]")
"""What went wrong between two who show each other certificates, as Python's TLS names it."""

_HELD_TOO_LONG = "delivery acknowledgement on channel"


def reason(error: BaseException) -> str:
    """Say in a sentence why the broker is lost; never with an address, which may hold a password."""
    if isinstance(error, ChannelPreconditionFailed) and _HELD_TOO_LONG in str(error):
        return "a message was held longer than the broker's consumer time-out"
    if refused := _TLS.search(str(error)):
        return f"TLS: {refused[1].lower().replace('_', ' ')}; see cafile, certfile and keyfile of REELBUS_AMQP_URL"
    for kind, sentence in _REASONS:
        if isinstance(error, kind):
            return sentence.format(error)
    return f"unexpected {type(error).__name__}"
