"""The publisher in a process of the service, and the link to the broker of one that publishes nothing."""

import publisher.run
from intake import commands
from intake.commands import Reply
from intake.context import Context
from publisher.command_processing import Command
from reelbus.parts import Parts


async def run(parts: Parts) -> None:
    """Relay events, and take commands as the API takes requests."""
    context = Context(
        parts.settings,
        parts.store,
        parts.signer,
        broker=parts.broker,
        inspectors=parts.inspectors,
        now=parts.store.now,
    )

    async def handle(command: Command) -> Reply:
        return await commands.handle(context, command.body, command.message_id, command.trace)

    await publisher.run.run(parts.settings, parts.store, parts.broker, handle, parts.stop)


async def stay_connected(parts: Parts) -> None:
    """Know whether the broker is there, in a process that answers for health and publishes nothing."""
    await publisher.run.stay_connected(parts.settings, parts.broker, parts.stop)
