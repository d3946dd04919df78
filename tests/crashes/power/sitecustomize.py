"""Keep a copy of the store as of its last sync: what a power cut leaves on the disk.

Python imports this module by itself when its folder is on the path. While a statement runs no other one does, so
nobody sees a commit before the copy of it is made, as nobody sees one before SQLite has synced it.
"""

import os
import shutil
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

KEPT_IN = "SYNCED_COPY"
"""The variable that names the folder of the copies."""

_one_at_a_time = threading.RLock()


class Disk(sqlite3.Connection):
    """A connection that notes when what it wrote has been synced."""

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(database, *args, **kwargs)
        self._path = Path(database)
        self._full = True
        self._changes = 0

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement, and copy the files if it had the disk synced."""
        with _one_at_a_time:
            answer = super().execute(sql, parameters)
            if sql.startswith("PRAGMA synchronous"):
                self._full = sql.endswith("FULL")
            elif sql.startswith("BEGIN"):
                self._changes = self.total_changes
            committed = sql == "COMMIT" and self._full and self.total_changes > self._changes
            if committed or sql.startswith("PRAGMA wal_checkpoint"):
                keep(self._path)
            return answer


def keep(path: Path) -> None:
    """Copy a database and its write-ahead log; the older copy is there until the newer one is whole."""
    folder = Path(os.environ[KEPT_IN])
    shutil.rmtree(folder / "new", ignore_errors=True)
    (folder / "new").mkdir(parents=True)
    for file in (path, path.with_name(path.name + "-wal")):
        if file.exists():
            shutil.copy(file, folder / "new")
    if (folder / "kept").exists():
        (folder / "kept").rename(folder / "old")
    (folder / "new").rename(folder / "kept")
    shutil.rmtree(folder / "old", ignore_errors=True)


if __name__ == "sitecustomize":
    sqlite3.connect = partial(sqlite3.connect, factory=Disk)  # type: ignore[assignment]  # the same, with another class
