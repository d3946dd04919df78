"""The smallest work there is: one row, which is there or is not."""

from store import secrets
from store.transaction import Tx


def put(tx: Tx, name: str) -> str:
    """Store a row of this name."""
    return secrets.keep(tx, name, "here")


def names(tx: Tx) -> set[str]:
    """Name the rows that are there."""
    return {row[0] for row in tx.execute("SELECT name FROM secrets").fetchall()}


def put_and_fail(tx: Tx, name: str) -> None:
    """Store a row, and then think better of it."""
    put(tx, name)
    raise ZeroDivisionError(name)
