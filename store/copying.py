"""Copy what is in one store into another: rows in the order of their primary keys, so that a copy can be gone on with.

How far it has come is read from the target: the last key of each table. Both stores have this release's tables.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from store.transaction import Tx


class Table(NamedTuple):
    """A table to copy; with `numbered` its key is given by the database, which must not give one again."""

    name: str
    key: tuple[str, ...]
    numbered: bool = False


TABLES = (
    Table("videos", ("id",)),  # first, because others refer to it
    Table("announcements", ("role", "provider")),
    Table("answer_shapes", ("provider", "shape")),
    Table("api_keys", ("id",), numbered=True),
    Table("attempts", ("id",)),
    Table("audit", ("id",), numbered=True),
    Table("circuits", ("provider",)),
    Table("clocks", ("machine",)),
    Table("credit_sums", ("provider",)),
    Table("credits", ("seq",), numbered=True),
    Table("disabled_callers", ("name",)),
    Table("durations", ("provider",)),
    Table("history", ("id",), numbered=True),
    Table("idempotency_keys", ("caller", "key")),
    Table("leases", ("name",)),
    Table("outbox", ("seq",), numbered=True),
    Table("pauses", ("provider",)),
    Table("pictures", ("video_id",)),
    Table("providers", ("name",)),
    Table("pruned", ("name",)),
    Table("refused_webhooks", ("id",), numbered=True),
    Table("secrets", ("name",)),
    Table("spending", ("caller", "day")),
    Table("unreadable", ("kind", "id")),
    Table("uploads", ("video_id",)),
    Table("video_metadata", ("name", "value", "video_id")),
    Table("webhooks", ("id",), numbered=True),
)
"""Every table but the list of migrations, and `picture_bodies`, which only one of the two kinds of store uses."""

Row = tuple[Any, ...]


def columns(tx: Tx, dialect: dict[str, str], table: Table) -> list[str]:
    """Name a table's columns: those of its key first, the others in the order of the alphabet."""
    found = {name for (name,) in tx.execute(dialect["columns"], {"table": table.name}).fetchall()}
    return [*table.key, *sorted(found - {*table.key})]


def count(tx: Tx, table: Table) -> int:
    """Count a table's rows."""
    number: int = tx.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0]  # noqa: S608 - our own tables
    return number


def last_key(tx: Tx, table: Table) -> Row | None:
    """Read the last key of a table; None where it is empty."""
    order = ", ".join(f"{column} DESC" for column in table.key)
    row = tx.execute(f"SELECT {', '.join(table.key)} FROM {table.name} ORDER BY {order} LIMIT 1").fetchone()  # noqa: S608 - our own tables
    return None if row is None else tuple(row)


def rows_after(tx: Tx, table: Table, names: Sequence[str], key: Row | None, *, limit: int) -> list[Row]:
    """Read rows in the order of their keys, from behind a key on, or from the first."""
    keys = ", ".join(table.key)
    where = "" if key is None else f" WHERE ({keys}) > ({', '.join('?' * len(key))})"
    rows = tx.execute(
        f"SELECT {', '.join(names)} FROM {table.name}{where} ORDER BY {keys} LIMIT ?",  # noqa: S608 - our own tables and columns
        (*(key or ()), limit),
    ).fetchall()
    return [tuple(_portable(value) for value in row) for row in rows]


def add(tx: Tx, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows as they are."""
    marks = ", ".join("?" * len(names))
    tx.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608 - our own tables and columns


def last_number(tx: Tx, dialect: dict[str, str], table: Table) -> int:
    """Read the last number that the database gave, of whichever row, or that is there."""
    row = tx.execute(dialect["last_number"], {"table": table.name, "column": table.key[0]}).fetchone()
    last = last_key(tx, table)
    return max(0 if row is None or row[0] is None else int(row[0]), 0 if last is None else int(last[0]))


def keep_numbers(tx: Tx, dialect: dict[str, str], table: Table, last: int) -> None:
    """Continue a sequence of the database above a last number."""
    for sql in dialect["keep_number"].split(";"):
        tx.execute(sql, {"table": table.name, "column": table.key[0], "last": max(last, 1)})


class Checksum:
    """A checksum of rows, the same for the same rows whichever database they are read from."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows in."""
        self.rows += len(rows)
        for row in rows:
            self._hash.update(repr(row).encode())

    def summed_up(self) -> tuple[int, str]:
        """Give the number of the rows and their checksum."""
        return self.rows, self._hash.hexdigest()


def _portable(value: object) -> object:
    """Give a value as either database can keep it: PostgreSQL has no text with a NUL."""
    if isinstance(value, str) and "\0" in value:
        return value.replace("\0", "\ufffd")
    return value
