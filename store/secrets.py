"""Secrets that the store makes up once and keeps for all processes."""

from store.transaction import Tx


def keep(tx: Tx, name: str, proposed: str) -> str:
    """Give the secret of this name, which becomes `proposed` where there is none yet."""
    kept = get(tx, name)
    if kept is None:
        tx.execute("INSERT INTO secrets (name, value) VALUES (?, ?)", (name, proposed))
        kept = proposed
    return kept


def get(tx: Tx, name: str) -> str | None:
    """Give the secret of this name, if there is one."""
    row = tx.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])
