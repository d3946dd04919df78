"""The audit log as the API shows it."""

from enum import StrEnum

from schemas.video import Document, Timestamp


class AuditAction(StrEnum):
    """What can be done that the audit log keeps; new actions may be added."""

    SUBMITTED = "submitted"
    REDELIVERED = "redelivered"
    RETRIED = "retried"
    ERASED = "erased"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHECKED = "checked"
    COMMAND_REQUEUED = "command_requeued"
    COMMAND_DROPPED = "command_dropped"
    KEY_CREATED = "key_created"
    KEY_DISABLED = "key_disabled"
    KEY_ENABLED = "key_enabled"
    KEY_REFUSED = "key_refused"


class AuditEntry(Document):
    """One thing that somebody did: `actor` is the name of a key, or begins with a colon where there was none."""

    id: str
    at: Timestamp
    actor: str
    action: str
    subject: str | None
    detail: str | None


class AuditPage(Document):
    """Entries of the audit log, newest first; `next_cursor` is null on the last page."""

    items: list[AuditEntry]
    next_cursor: str | None
