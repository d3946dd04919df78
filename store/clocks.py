"""How far the wall clock of each machine was ahead of its steady clock when somebody last looked."""

from store.transaction import Tx


def ahead(tx: Tx, machine: str) -> float | None:
    """Read by how many seconds a machine's wall clock was ahead of its steady one; None before the first look."""
    row = tx.execute("SELECT ahead FROM clocks WHERE machine = ?", (machine,)).fetchone()
    return None if row is None else row[0]


def keep(tx: Tx, machine: str, *, seconds: float) -> None:
    """Note by how many seconds a machine's wall clock is ahead."""
    tx.execute(
        "INSERT INTO clocks (machine, ahead) VALUES (:machine, :ahead)"
        " ON CONFLICT (machine) DO UPDATE SET ahead = :ahead",
        {"machine": machine, "ahead": seconds},
    )
