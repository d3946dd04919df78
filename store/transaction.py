"""What a piece of work inside a transaction is given."""

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

Parameters = Mapping[str, object] | Sequence[object]


class Rows(Protocol):
    """The answer of one statement."""

    @property
    def rowcount(self) -> int:
        """Number of rows that a change touched."""

    def fetchone(self) -> Any:  # noqa: ANN401 - a row's columns are as various as the statements
        """Give the next row as a tuple, or None."""

    def fetchall(self) -> list[Any]:
        """Give all rows as tuples."""


class Signal(StrEnum):
    """What a commit may give others to do."""

    ACCEPTED = "accepted"
    SUBMISSIONS = "submissions"
    CHECKS = "checks"
    EVENTS = "events"


class Connection(Protocol):
    """What a database driver must offer; `sqlite3.Connection` does."""

    def execute(self, sql: str, parameters: Parameters = ..., /) -> Rows:
        """Run one statement with `:name` or `?` parameters."""

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Rows:
        """Run one statement for each set of parameters."""


class Tx:
    """An open transaction: SQL to run, and topics whose waiters to wake once it is committed."""

    __slots__ = ("decided", "execute", "executemany", "signals")

    row_lock = ""
    """Ends a SELECT of rows that this transaction decides about: others wait for it to end.

    SQLite has one writer at a time and needs none. What only reads has none either.
    """

    skip_locked = ""
    """Ends a SELECT of rows to work on: those that another transaction has in hand are left out."""

    gap_horizon = math.inf
    """Before an event that was made after this time (Unix seconds), others may still appear with lower numbers."""

    def __init__(self, connection: Connection) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.signals: set[Signal] = set()
        self.decided = False

    def notify(self, topic: Signal) -> None:
        """Wake whoever waits for `topic`, in every process, after the commit."""
        self.signals.add(topic)

    def must_sync(self) -> None:
        """Say that this transaction decides something that others will see, such as an event.

        It is then synced to the disk when it is committed, whatever way of the store it was called through.
        """
        self.decided = True

    def must_outlast_server(self) -> None:
        """Say that what this transaction notes must be known for as long as this process lives, such as its lease.

        A database server on another machine can crash and come back without what was not synced; a file of this
        machine's is lost only with every process that knew of it.
        """

    def lock(self, name: str) -> None:
        """Wait until no other transaction has this lock, and keep it until the end: for rows that may not exist yet."""
