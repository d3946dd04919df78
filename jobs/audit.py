"""The audit log: who submitted, redelivered, retried, erased, paused, made or disabled keys, or was refused.

`record` belongs into the transaction that does the thing, so that neither exists without the other. The newest
million entries are kept, for at most 90 days.
"""

from schemas.audit import AuditAction, AuditEntry, AuditPage
from schemas.times import rfc3339
from store import audit
from store.transaction import Tx

OPERATOR = ":operator"
"""Who works on the store with a command of the shell."""

STRANGER = ":stranger"
"""Who has no valid API key."""


def record(
    tx: Tx, action: AuditAction, *, actor: str, subject: str | None = None, detail: str | None = None, now: float
) -> None:
    """Note in the caller's transaction that `actor` (an API key's name, `OPERATOR` or `STRANGER`) did something.

    `subject` is what it was done to: a video's id, a provider's or a key's name.
    """
    audit.add(tx, actor=actor, action=action, subject=subject, detail=detail, now=now)


def page(tx: Tx, *, cursor: str | None, limit: int) -> AuditPage:
    """Read entries newest first; `cursor` is the id of the last one already seen."""
    rows = audit.page(tx, before=None if cursor is None else int(cursor), limit=limit + 1)
    shown = [
        AuditEntry(
            id=str(row.id),
            at=rfc3339(row.at),
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            detail=row.detail,
        )
        for row in rows[:limit]
    ]
    return AuditPage(items=shown, next_cursor=shown[-1].id if len(rows) > limit else None)
