"""Everything that is SQLite's alone: opening, pragmas, locking, the words of its dialect."""

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import ref

from store.transaction import Parameters, Tx

DIALECT = {
    "sequence": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "bytes": "BLOB",
    "text": "TEXT",
    "columns": "SELECT name FROM pragma_table_info(:table)",
    "last_number": "SELECT seq FROM sqlite_sequence WHERE name = :table",
    "keep_number": "DELETE FROM sqlite_sequence WHERE name = :table;"
    "INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)",
    "tables": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "metadata_pairs": "json_each(CASE WHEN json_valid(videos.metadata) THEN videos.metadata ELSE '{}' END)",
}
"""What the migrations' placeholders mean here, and how to read what it says of its tables."""

BUSY_SECONDS = 5.0
"""How long a transaction waits for another process's."""

RECOVERY_SECONDS = 30.0
"""How long a process that starts waits for another one that reads what a crash left in the write-ahead log."""

CHECKPOINT_SECONDS = 0.1
"""How long a checkpoint that makes the log start anew waits for those who write and read; they wait for it too."""

LOG_BYTES = 16 * 2**20
"""To how many bytes the file of the write-ahead log is cut when it starts anew."""

_AGAIN_SECONDS = 0.001


class SqliteTx(Tx):
    """A transaction over a connection to SQLite."""

    __slots__ = ("_answers", "_connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._connection = connection
        self._answers: list[ref[sqlite3.Cursor]] = []
        self.execute = self._execute

    def _execute(self, sql: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        answer = self._connection.execute(sql, parameters)
        self._answers.append(ref(answer))
        return answer

    def close_answers(self) -> None:
        """Close all answers that somebody still holds, before the transaction ends.

        One that was not read to its end, which whatever failed over it may hold, keeps the connection in the state of
        this transaction: later ones would read what was then, and could not write any more.
        """
        for each in self._answers:
            if (answer := each()) is not None:
                answer.close()
        self._answers.clear()
        self.execute = self._connection.execute  # what ends the transaction leaves no answer


def connect(path: Path, *, busy_timeout: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open the database file, made if it is missing, so that a commit is on disk when it returns.

    The write-ahead log with `synchronous=FULL` syncs at every commit. A statement waits up to `busy_timeout` seconds
    for other processes. Raises `sqlite3.Error`, and OSError where the file cannot be made.
    """
    _create_private(path)
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # `store.checkpoints` does it, and no commit waits for it
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    connection.execute("PRAGMA cache_size = -16000")
    return connection


def _create_private(path: Path) -> None:
    """Make a missing file with mode 0600: secrets are in it. SQLite gives its log the same mode.

    It is not opened: to close it would drop the locks of every other connection of this process.
    """
    with suppress(FileExistsError):
        os.mknod(path, stat.S_IFREG | 0o600)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log."""
    try:
        _while_busy(lambda: connection.execute("PRAGMA journal_mode = WAL"), max(BUSY_SECONDS, RECOVERY_SECONDS))
    except sqlite3.Error:
        connection.close()
        raise


def begin(tx: Tx, *, busy_timeout: float | None = None) -> None:
    """Begin a writing transaction; a deferred one would fail at once instead of waiting for its turn.

    It waits up to `busy_timeout` seconds for another process's, `BUSY_SECONDS` by default. SQLite's own wait
    sleeps ever longer, up to a tenth of a second, while transactions here take a few milliseconds.
    """
    _while_busy(lambda: tx.execute("BEGIN IMMEDIATE"), BUSY_SECONDS if busy_timeout is None else busy_timeout)


def _while_busy(step: Callable[[], object], busy_timeout: float) -> None:
    """Take a step that may find the database busy, again and again for so many seconds.

    An error's code is the extended one: its lowest byte says busy, the others why, such as that another process
    is just recovering the write-ahead log of one that crashed.
    """
    give_up_at = time.monotonic() + busy_timeout
    while True:
        try:
            step()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
                raise
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def sync(tx: Tx, *, at_once: bool) -> None:
    """Choose whether the commit of the next transaction is synced to the disk, or left to the next one that is."""
    tx.execute("PRAGMA synchronous = FULL" if at_once else "PRAGMA synchronous = NORMAL")


def checkpoint(connection: sqlite3.Connection) -> None:
    """Copy what is in the write-ahead log into the database, as far as nobody has to wait for it."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def restart_log(connection: sqlite3.Connection) -> bool:
    """Empty the write-ahead log wholly and cut its file; say whether that could be done.

    Most is copied beside those who write; for the rest they wait. Where somebody still reads an old state, or
    another process is at it, this gives up after the connection's busy time-out.
    """
    checkpoint(connection)
    busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy


def change_counter(connection: sqlite3.Connection) -> int:
    """Give a number that changes whenever another connection has committed."""
    counter: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return counter
