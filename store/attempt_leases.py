"""Leases of attempts: who has which in hand, and until when."""

from collections.abc import Collection

from store.marks import in_groups
from store.transaction import Tx


def lease(tx: Tx, attempt_ids: Collection[str], *, owner: str, until: float, checked_at: float | None = None) -> None:
    """Give an owner the leases of attempts until a time; what is not finished by then is due again."""
    for marks, ids in in_groups(attempt_ids):
        tx.execute(
            "UPDATE attempts SET lease_owner = ?, lease_until = ?, due_at = ?, checked_at = COALESCE(?, checked_at)"  # noqa: S608 - only marks
            f" WHERE id IN ({marks})",
            (owner, until, until, checked_at, *ids),
        )


def renew_leases(tx: Tx, attempt_ids: Collection[str], *, owner: str, until: float) -> None:
    """Prolong those leases that still are the owner's."""
    tx.executemany(
        "UPDATE attempts SET lease_until = ?, due_at = ? WHERE id = ? AND lease_owner = ?",
        [(until, until, attempt_id, owner) for attempt_id in attempt_ids],
    )


def held_elsewhere(tx: Tx, attempt_ids: Collection[str]) -> set[str]:
    """Name those of the attempts that another transaction has in hand now; the rest are this one's until its end."""
    if not tx.skip_locked or not attempt_ids:
        return set()
    held: set[str] = set()
    for marks, ids in in_groups(attempt_ids):
        sql = f"SELECT id FROM attempts WHERE id IN ({marks})"  # noqa: S608 - only marks
        free, there = tx.execute(f"{sql}{tx.skip_locked}", ids), tx.execute(sql, ids)
        held |= {name for (name,) in there.fetchall()} - {name for (name,) in free.fetchall()}
    return held
