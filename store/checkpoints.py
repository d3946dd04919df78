"""Keep the write-ahead log short: move what is in it into the database, beside the writing."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from store import sqlite
from store.group import GroupCommit

STORE_POLL_SECONDS = 0.05
"""How often a process looks how long the log is."""

AFTER_PIECES = 50
"""After how many pieces of work of this process what they wrote is moved, as soon as it is quiet."""

LONG_BYTES = 16 * 2**20
"""How long the log may grow under load before it is made to start anew."""

TOO_LONG_BYTES = 32 * 2**20
"""How long the log may be for more to be written at once."""

HOLD_BACK_SECONDS = 1.0
"""How long the writing of a process waits for a log that is too long to start anew."""

GO_ON_SECONDS = 10.0
"""How long it then goes on, though somebody still reads the old log, before it waits again."""

AGAIN_SECONDS = 0.2
"""How long to leave a log alone that could not be made to start anew."""


_HOLDING_SECONDS = 0.005


class Checkpoints:
    """A thread of each process that checkpoints. Of those that try at once SQLite's own lock lets one through.

    `died` is given the error, in that thread, if it ends before it was told to.
    """

    def __init__(self, path: Path, commits: GroupCommit, *, died: Callable[[BaseException], None]) -> None:
        self._log = path.with_name(path.name + "-wal")
        self._commits = commits
        self._died = died
        self._connection = sqlite.connect(path, busy_timeout=sqlite.CHECKPOINT_SECONDS)
        self._stopping = threading.Event()
        self._moved = 0
        self._seen = 0
        self._go_on_until = 0.0
        self._thread = threading.Thread(target=self._run, name="store-checkpoints", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close its connection. Blocks until then."""
        self._stopping.set()
        self._thread.join()
        self._connection.close()

    def is_too_long(self) -> bool:
        """Say whether the log should start anew before more is written."""
        return self._length() > TOO_LONG_BYTES and time.monotonic() >= self._go_on_until

    def hold_back(self) -> None:
        """Block for a moment while the log is too long, so that the checkpoint finds nobody at work."""
        give_up_at = time.monotonic() + HOLD_BACK_SECONDS
        while self.is_too_long():
            if time.monotonic() >= give_up_at:
                self._go_on_until = time.monotonic() + GO_ON_SECONDS
            self._stopping.wait(_HOLDING_SECONDS)

    def _run(self) -> None:
        try:
            self._keep_short()
        except BaseException as error:  # whatever it was: nobody would keep the log short any more
            self._died(error)

    def _keep_short(self) -> None:
        pause = STORE_POLL_SECONDS
        while not self._stopping.wait(pause):
            try:
                pause = STORE_POLL_SECONDS if self._check() else AGAIN_SECONDS
            except (sqlite3.Error, OSError):  # a full disk; the writer tells everybody
                pause = AGAIN_SECONDS

    def _check(self) -> bool:
        """Move what should be moved; say whether the log is as short as it should be."""
        pieces, quiet = self._commits.pieces, self._commits.pieces == self._seen
        self._seen = pieces
        if self._length() > LONG_BYTES:
            self._moved = pieces
            return sqlite.restart_log(self._connection)
        if quiet and pieces - self._moved >= AFTER_PIECES:
            self._moved = pieces
            sqlite.checkpoint(self._connection)
        return True

    def _length(self) -> int:
        with suppress(FileNotFoundError):
            return self._log.stat().st_size
        return 0
