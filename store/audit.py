"""The audit log: who did what, append-only and of bounded size."""

from typing import NamedTuple

from store.transaction import Tx

KEPT_SECONDS = 90 * 86400.0
KEPT_ROWS = 1_000_000


class AuditRow(NamedTuple):
    """One entry as it is stored; `at` in Unix seconds."""

    id: int
    at: float
    actor: str
    action: str
    subject: str | None
    detail: str | None


def add(tx: Tx, *, actor: str, action: str, subject: str | None, detail: str | None, now: float) -> None:
    """Append an entry."""
    tx.execute(
        "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)",
        (now, actor, action, subject, detail),
    )


def page(tx: Tx, *, before: int | None, limit: int) -> list[AuditRow]:
    """Read entries newest first, those older than the entry `before` where it is given."""
    where = "" if before is None else "WHERE id < :before"
    rows = tx.execute(
        f"SELECT id, at, actor, action, subject, detail FROM audit {where} ORDER BY id DESC LIMIT :limit",  # noqa: S608 - constant parts
        {"limit": limit} if before is None else {"before": before, "limit": limit},
    ).fetchall()
    return [AuditRow(*row) for row in rows]


def prune(tx: Tx, *, now: float, limit: int) -> int:
    """Drop, of the oldest entries, those older than 90 days or beyond the newest million; say how many."""
    return tx.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT :limit) AS oldest"
        " WHERE at < :before OR id <= (SELECT MAX(id) FROM audit) - :kept)",
        {"before": now - KEPT_SECONDS, "kept": KEPT_ROWS, "limit": limit},
    ).rowcount
