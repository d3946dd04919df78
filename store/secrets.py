"""Secrets that the store makes up once and keeps for all processes."""

from store.transaction import Tx


def keep(tx: Tx, name: str, proposed: str) -> str:
    """Give the secret of this name, which becomes `proposed` where there is none yet."""
    added = tx.execute(
        "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, proposed)
    )
    return proposed if added.rowcount == 1 else get(tx, name) or proposed


def get(tx: Tx, name: str) -> str | None:
    """Give the secret of this name, if there is one."""
    row = tx.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])
