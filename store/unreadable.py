"""Rows put aside because this release cannot read them, such as those that a newer one wrote."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from store.transaction import Tx

T = TypeVar("T")

MALFORMED = (ValueError, TypeError, LookupError)
"""What a row of a strange shape raises; a database that fails raises others."""


class Kind(StrEnum):
    """Whose row it is."""

    VIDEO = "video"
    ATTEMPT = "attempt"


class Unreadable(NamedTuple):
    """A row that was put aside, and why."""

    kind: Kind
    id: str
    reason: str
    found_at: float


def each_of_many(tx: Tx, kind: Kind, parts: Mapping[str, Callable[[], T]], *, now: float) -> list[T | None]:
    """Do a batch, a part for each row's id, and give what each gives.

    A row that cannot be read is put aside, its part is undone and gives None: the rest goes on. All is done at once
    first, and where that fails again part by part.
    """
    if not parts:
        return []
    tx.execute("SAVEPOINT each_of_many")
    results: list[T | None] = []
    try:
        results += [part() for part in parts.values()]
    except MALFORMED:
        tx.execute("ROLLBACK TO each_of_many")
        results = [_one(tx, kind, row_id, part, now) for row_id, part in parts.items()]
    tx.execute("RELEASE each_of_many")
    return results


def _one(tx: Tx, kind: Kind, row_id: str, work: Callable[[], T], now: float) -> T | None:
    tx.execute("SAVEPOINT one_of_many")
    try:
        result = work()
    except MALFORMED as error:
        tx.execute("ROLLBACK TO one_of_many")
        put_aside(tx, kind, row_id, str(error), now=now)
        result = None
    tx.execute("RELEASE one_of_many")
    return result


def put_aside(tx: Tx, kind: Kind, row_id: str, reason: str, *, now: float) -> None:
    """Put a row aside: nobody finds it as work until it can be read."""
    tx.execute(
        "INSERT INTO unreadable (kind, id, reason, found_at) VALUES (?, ?, ?, ?) ON CONFLICT (kind, id) DO NOTHING",
        (kind, row_id, reason[:500], now),
    )


def restore(tx: Tx, row: Unreadable) -> None:
    """Take a row back: it is found as work again."""
    tx.execute("DELETE FROM unreadable WHERE kind = ? AND id = ?", (row.kind, row.id))


def listed(tx: Tx, *, limit: int) -> list[Unreadable]:
    """List the rows that are put aside, oldest first."""
    rows = tx.execute(
        "SELECT kind, id, reason, found_at FROM unreadable ORDER BY found_at LIMIT ?", (limit,)
    ).fetchall()
    return [Unreadable(Kind(kind), *rest) for kind, *rest in rows]
