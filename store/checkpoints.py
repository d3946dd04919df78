"""Keep the write-ahead log short: move what is in it into the database, beside the writing."""

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from store import sqlite
from store.group import GroupCommit

LOOK_SECONDS = 0.05
"""How often a process looks how long the log is."""

AFTER_PIECES = 50
"""After how many pieces of work of this process what they wrote is moved, as soon as it is quiet."""

LONG_BYTES = 16 * 2**20
"""How long the log may grow under load before it is made to start anew."""

AGAIN_SECONDS = 1.0
"""How long to leave a long log alone that somebody still reads."""


class Checkpoints:
    """A thread of each process that checkpoints. Of those that try at once SQLite's own lock lets one through."""

    def __init__(self, path: Path, commits: GroupCommit) -> None:
        self._log = path.with_name(path.name + "-wal")
        self._commits = commits
        self._connection = sqlite.connect(path, patience=sqlite.CHECKPOINT_SECONDS)
        self._stopping = threading.Event()
        self._moved = 0
        self._seen = 0
        self._thread = threading.Thread(target=self._run, name="store-checkpoints", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close its connection. Blocks until then."""
        self._stopping.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        pause = LOOK_SECONDS
        while not self._stopping.wait(pause):
            try:
                pause = LOOK_SECONDS if self._look() else AGAIN_SECONDS
            except (sqlite3.Error, OSError):  # a full disk; the writer tells everybody
                pause = AGAIN_SECONDS

    def _look(self) -> bool:
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
