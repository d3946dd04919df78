"""Everything that is SQLite's alone: opening, pragmas, locking, the words of its dialect."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.transaction import Tx

DIALECT = {"sequence": "INTEGER PRIMARY KEY AUTOINCREMENT", "bytes": "BLOB"}
"""What the migrations' placeholders mean here."""

BUSY_SECONDS = 5.0
"""How long a statement waits for another process's transaction."""

_AGAIN_SECONDS = 0.01


def connect(path: Path) -> sqlite3.Connection:
    """Open the database file, made if it is missing, so that a commit is on disk when it returns.

    The write-ahead log with `synchronous=FULL` syncs at every commit. Raises `sqlite3.Error`.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA cache_size = -16000")
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; of two processes that do so at once one is told "locked" without a wait."""
    give_up_at = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                connection.close()
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def begin(tx: Tx) -> None:
    """Begin a writing transaction; a deferred one would fail at once instead of waiting for its turn."""
    tx.execute("BEGIN IMMEDIATE")


@contextmanager
def impatient(connection: sqlite3.Connection) -> Iterator[None]:
    """Have statements fail at once, instead of waiting, while another process is in a transaction."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


def change_counter(connection: sqlite3.Connection) -> int:
    """Give a number that changes whenever another connection has committed."""
    counter: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return counter
