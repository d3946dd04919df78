"""Commands that nobody could handle, as the API shows them."""

from schemas.video import Document, Timestamp


class DeadCommand(Document):
    """One parked command: `id` stays the same; `beginning` is the start of its body, which may be no text at all."""

    id: str
    message_id: str | None
    reason: str
    parked_at: Timestamp | None
    bytes: int
    beginning: str


class DeadCommands(Document):
    """The oldest parked commands, oldest first."""

    items: list[DeadCommand]
