"""What can be done with commands that are parked on the broker; the publisher's room does it."""

from typing import Protocol

from schemas.dead_commands import DeadCommand


class DeadCommandsUnavailable(Exception):
    """The broker, or the queue, cannot be reached; the message says why."""


class DeadCommandQueue(Protocol):
    """The queue of parked commands. Each method raises `DeadCommandsUnavailable`."""

    async def listed(self, *, limit: int) -> list[DeadCommand]:
        """Look at the oldest ones and leave them where they are."""

    async def requeue(self, command_id: str) -> bool:
        """Put one back into the queue that it came from; say whether it was there."""

    async def drop(self, command_id: str) -> bool:
        """Take one away for good; say whether it was there."""
