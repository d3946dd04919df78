"""Parked commands in memory, for a receiver that is tested without a broker."""

from dataclasses import dataclass, field

from intake.dead_commands import DeadCommandsUnavailable
from schemas.dead_commands import DeadCommand


@dataclass
class Parked:
    """A queue of parked commands in memory."""

    there: dict[str, DeadCommand] = field(default_factory=dict)
    away: str | None = None
    back: list[str] = field(default_factory=list)

    async def listed(self, *, limit: int) -> list[DeadCommand]:
        if self.away:
            raise DeadCommandsUnavailable(self.away)
        return list(self.there.values())[:limit]

    async def requeue(self, command_id: str) -> bool:
        self.back.append(command_id)
        return await self.drop(command_id)

    async def drop(self, command_id: str) -> bool:
        return self.there.pop(command_id, None) is not None


def letter(command_id: str) -> DeadCommand:
    return DeadCommand(id=command_id, message_id=None, reason="no JSON", parked_at=None, bytes=3, beginning="abc")
