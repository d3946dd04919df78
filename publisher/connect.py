"""Open a connection to the broker by the addresses that the operator gave, and close one in good time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection

from process.settings import Settings
from publisher.connection_errors import reason
from publisher.frames import ForgivingConnection
from publisher.timing import Timing

HEARTBEAT_SECONDS = 10
"""A dead peer is noticed after at most three of these and a little; RabbitMQ advises 5 to 20."""

logger = structlog.get_logger(__name__)

_abandoned: set[asyncio.Task[None]] = set()
"""The event loop alone would not keep them from the garbage collector."""


@dataclass(slots=True)
class BrokerAddresses:
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
    settings: Settings, timing: Timing, *, name: str, addresses: BrokerAddresses | None = None
) -> AbstractConnection:
    """Open a connection to the first address that lets us in.

    Raises whatever aio-pika does, or TimeoutError; `reason` puts it into words.
    """
    addresses = addresses or BrokerAddresses(settings.amqp_urls)
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


def abandon(connection: AbstractConnection, *, within: float) -> None:
    """Close a connection that came to nothing, as `close` does, while its user goes on to the next one at once."""
    closing = asyncio.create_task(close(connection, within=within))
    _abandoned.add(closing)
    closing.add_done_callback(_abandoned.discard)
