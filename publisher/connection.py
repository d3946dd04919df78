"""Stay connected to the broker: one supervised connection for each thing done with it.

aio-pika's own reconnecting is not used: it gives up if the broker is down at the start, repeats nothing that
was unconfirmed, and restores channels about which there may be doubt. Here a connection about which there is
any doubt is dropped whole, and a new one is built.
"""

import asyncio

from aio_pika.abc import AbstractChannel, AbstractConnection

from process import metrics
from process.asyncio_events import wait_any
from publisher import topology
from publisher.broker_state import BrokerState
from publisher.connection_errors import ConnectionLost, reason
from publisher.timing import Timing


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
        self._counting: asyncio.Task[None] | None = None
        connection.close_callbacks.add(self._on_closed)

    def _on_closed(self, _: object, error: BaseException | None) -> None:
        self.mark_lost(self._why if error is None else reason(error))

    def mark_lost(self, why: str) -> None:
        """Mark the connection as lost, so that whoever waits for `lost` gives it up."""
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
        """Declare its part of the topology. Raises whatever aio-pika does."""
        await topology.declare(self.connection, self._part, self._exchange, within=self._timing.declare)

    def _count_parked(self) -> None:
        """Ask how many commands are parked, unless that is still to be answered.

        Nobody answers while the node of their queue is away, which says nothing against the one that we speak to.
        """
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._counted())
        else:
            self.state.dead_letters = None

    async def _counted(self) -> None:
        try:
            depth = await topology.depth(self.connection, topology.DEAD_QUEUE, within=None)
        except (Exception, asyncio.CancelledError) as error:  # the library's cancellation, or the end of `link`
            self.mark_lost(reason(error))
            return
        self.state.dead_letters = depth
        if depth is not None:
            metrics.dead_letters.set(depth)

    async def keep_declared(self) -> None:
        """Declare it again and again, so that what was deleted comes back; mark the connection lost if that fails."""
        try:
            self._count_parked()
            while not _is_cancelled():
                await asyncio.sleep(self._timing.topology)
                await self.declare()
                self._count_parked()
        except (Exception, asyncio.CancelledError) as error:  # as above
            self.mark_lost(reason(error))
        finally:
            if self._counting is not None:
                self._counting.cancel()


def _is_cancelled() -> bool:
    """Say whether this task was told to end, even where the library swallowed that: as it does closing a channel."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
