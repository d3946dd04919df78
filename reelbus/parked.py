"""The parked commands for the receiver, which speaks no AMQP itself."""

from dataclasses import dataclass

from intake.dead_commands import DeadCommandsUnavailable
from process.settings import Settings
from publisher import dead_letters
from publisher.dead_letters import DeadLetter, DeadLettersUnavailable
from schemas.dead_commands import DeadCommand
from schemas.times import optional_rfc3339


@dataclass(frozen=True, slots=True)
class ParkedCommands:
    """The dead letters of the broker that the settings name; each call opens a connection of its own."""

    settings: Settings

    async def listed(self, *, limit: int) -> list[DeadCommand]:
        """Look at the oldest ones. Raises `DeadCommandsUnavailable`."""
        try:
            return [_shown(letter) for letter in await dead_letters.listed(self.settings, limit=limit)]
        except DeadLettersUnavailable as error:
            raise DeadCommandsUnavailable(str(error)) from error

    async def requeue(self, command_id: str) -> bool:
        """Put one back; say whether it was there. Raises `DeadCommandsUnavailable`."""
        try:
            return bool(await dead_letters.requeue(self.settings, [command_id]))
        except DeadLettersUnavailable as error:
            raise DeadCommandsUnavailable(str(error)) from error

    async def drop(self, command_id: str) -> bool:
        """Take one away; say whether it was there. Raises `DeadCommandsUnavailable`."""
        try:
            return bool(await dead_letters.drop(self.settings, [command_id]))
        except DeadLettersUnavailable as error:
            raise DeadCommandsUnavailable(str(error)) from error


def _shown(letter: DeadLetter) -> DeadCommand:
    return DeadCommand(
        id=letter.letter_id,
        message_id=letter.message_id,
        reason=letter.reason,
        parked_at=optional_rfc3339(letter.parked_at.timestamp() if letter.parked_at else None),
        bytes=letter.size,
        beginning=letter.beginning.decode("utf-8", "backslashreplace"),
    )
