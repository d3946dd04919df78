"""The receiver in a process of the service, and the internal port that each role may have."""

import asyncio

import receiver.run
from intake.context import Context
from reelbus.errors import env_file
from reelbus.parked import ParkedCommands
from reelbus.parts import Parts
from reelbus.public_address import PublicAddress
from reelbus.setting_sources import sources
from reelbus.takers import Takers


async def run(parts: Parts) -> None:
    """Serve, and ask our public address meanwhile whether it leads here."""
    settings, context = parts.settings, _context(parts)
    if settings.public_url is None or settings.surface == "public":  # who only answers there need not ask as well
        await receiver.run.run(context, parts.stop)
        return
    context.public_route = address = PublicAddress(settings, parts.signer)
    watching = asyncio.create_task(address.watch(parts.stop))
    try:
        await receiver.run.run(context, parts.stop)
    finally:
        watching.cancel()


async def run_health(parts: Parts) -> None:
    """Serve health and metrics alone."""
    await receiver.run.run_health(_context(parts), parts.stop)


def _context(parts: Parts) -> Context:
    return Context(
        parts.settings,
        parts.store,
        parts.signer,
        broker=parts.broker,
        dead_commands=ParkedCommands(parts.settings),
        subscriptions=Takers(parts.settings),
        shown_settings=sources(parts.settings, env_file()),
        inspectors=parts.inspectors,
        now=parts.store.now,
    )
