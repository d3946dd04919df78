"""How far the tables that only grow have been pruned."""

from store.transaction import Tx


def place(tx: Tx, name: str) -> int:
    """Read up to which row a table has been pruned; 0 before the first time."""
    row = tx.execute("SELECT place FROM pruned WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def keep_place(tx: Tx, name: str, place: int) -> None:
    """Note up to which row a table has been pruned."""
    tx.execute(
        "INSERT INTO pruned (name, place) VALUES (:name, :place) ON CONFLICT (name) DO UPDATE SET place = :place",
        {"name": name, "place": place},
    )
