"""A plugin for pytest that breaks one guard: the relay's channel no longer raises for what no queue takes."""

import asyncio

from aio_pika.abc import AbstractChannel

from publisher.connection import BrokerConnection


async def channel(self: BrokerConnection) -> AbstractChannel:
    """Open a channel as aio-pika does by default."""
    async with asyncio.timeout(self._timing.connect):
        opened = await self.connection.channel()
    opened.close_callbacks.add(self._on_closed)
    return opened


BrokerConnection.channel = channel  # type: ignore[method-assign]  # this is the mutation
