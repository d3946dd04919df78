"""Leases on work that only one process may do at a time."""

from store.transaction import Tx

_LONGEST_LEASE = 60.0
"""Nobody takes a lease for longer."""


def acquire(tx: Tx, name: str, *, owner: str, now: float, seconds: float) -> bool:
    """Acquire or prolong a lease; say whether it is the owner's now."""
    tx.must_outlast_server()
    taken = tx.execute(
        "INSERT INTO leases (name, owner, until) VALUES (:name, :owner, :until)"
        " ON CONFLICT (name) DO UPDATE SET owner = :owner, until = :until"
        " WHERE leases.owner = :owner OR leases.until <= :now",
        {"name": name, "owner": owner, "until": now + seconds, "now": now},
    )
    return taken.rowcount == 1


def release(tx: Tx, name: str, *, owner: str) -> None:
    """Give a lease back, so that others can acquire it at once."""
    tx.execute("DELETE FROM leases WHERE name = ? AND owner = ?", (name, owner))


def bring_near(tx: Tx, seconds: float, *, now: float) -> None:
    """Shorten a lease that a clock put back by so many seconds left far ahead: it ends so much earlier, or now."""
    tx.execute(
        "UPDATE leases SET until = CASE WHEN until > :now + :seconds THEN until - :seconds ELSE :now END"
        " WHERE until > :now + :seconds OR until > :now + :longest",
        {"seconds": seconds, "now": now, "longest": _LONGEST_LEASE},
    )
