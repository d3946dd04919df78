"""Find out whether the store can be written, as readiness and `reelbus doctor` ask."""

from store.transaction import Tx

_ROW = "probe"


def probe(tx: Tx, *, now: float) -> None:
    """Write a row that is different each time: a transaction that changes nothing also succeeds on a full disk."""
    tx.execute(
        "INSERT INTO leases (name, owner, until) VALUES (?, 'any', ?) ON CONFLICT (name) DO UPDATE SET until = ?",
        (_ROW, now, now),
    )
