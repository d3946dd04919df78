"""Leases on work that only one process may do at a time.

Who holds one renews it. Another takes it only after having seen it unrenewed for as long as it lasts, by a clock that
nobody sets: no time of the wall is compared.
"""

from typing import NamedTuple

from store.transaction import Tx


class Held(NamedTuple):
    """Who holds a lease, and the mark that each renewal changes: the time of the wall at which it would end."""

    owner: str
    until: float


def acquire(tx: Tx, name: str, *, owner: str, now: float, seconds: float, lapsed: Held | None = None) -> Held | None:
    """Acquire or renew a lease; give who holds it now, which may be somebody else.

    `lapsed` is what the owner has seen unrenewed for long enough, if it has.
    """
    tx.must_outlast_server()
    taken = tx.execute(
        "INSERT INTO leases (name, owner, until) VALUES (:name, :owner, :until)"
        " ON CONFLICT (name) DO UPDATE SET owner = :owner,"
        " until = CASE WHEN leases.until = :until THEN :until + 1 ELSE :until END"
        " WHERE leases.owner = :owner OR (leases.owner = :of AND leases.until = :mark)",
        {
            "name": name,
            "owner": owner,
            "until": now + seconds,
            "of": lapsed.owner if lapsed else None,
            "mark": lapsed.until if lapsed else None,
        },
    )
    if taken.rowcount == 1:
        return Held(owner, now + seconds)
    row = tx.execute("SELECT owner, until FROM leases WHERE name = ?", (name,)).fetchone()
    return None if row is None else Held(*row)


def release(tx: Tx, name: str, *, owner: str) -> None:
    """Give a lease back, so that others can acquire it at once."""
    tx.execute("DELETE FROM leases WHERE name = ? AND owner = ?", (name, owner))
