"""Put a process's clock forward or back and have its disk take its time, as a file says that all processes map.

Python imports this module by itself when its folder is on the path: before anybody keeps `time.time` as it was.
"""

import mmap
import os
import sqlite3
import struct
import time
from functools import partial
from typing import Any

SHARED = "CHAOS_SKEW"
"""The variable that names the file: by how many seconds the clock is ahead, and how many a sync takes."""

LAYOUT = struct.Struct("dd")


class Skew:
    """Both numbers, as the file holds them now."""

    def __init__(self, path: str) -> None:
        with open(path, "r+b") as file:  # noqa: PTH123 - this runs at the start of every process, and pathlib is slow
            self._map = mmap.mmap(file.fileno(), LAYOUT.size)

    @property
    def ahead(self) -> float:
        return float(LAYOUT.unpack_from(self._map)[0])

    @property
    def sync(self) -> float:
        return float(LAYOUT.unpack_from(self._map)[1])

    def put(self, *, ahead: float, sync: float) -> None:
        LAYOUT.pack_into(self._map, 0, ahead, sync)


class SlowlySyncedConnection(sqlite3.Connection):
    """A connection whose commits wait for a slow disk, where they are synced."""

    _full = True
    skew: Skew

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement."""
        if sql.startswith("PRAGMA synchronous"):
            self._full = sql.endswith("FULL")
        elif sql == "COMMIT" and self._full:
            time.sleep(self.skew.sync)
        return super().execute(sql, parameters)


def _slowly(skew: Skew, descriptor: int) -> None:
    time.sleep(skew.sync)
    _fsync(descriptor)


_time, _fsync = time.time, os.fsync

if SHARED in os.environ:
    SlowlySyncedConnection.skew = Skew(os.environ[SHARED])
    time.time = lambda: _time() + SlowlySyncedConnection.skew.ahead
    os.fsync = partial(_slowly, SlowlySyncedConnection.skew)
    sqlite3.connect = partial(sqlite3.connect, factory=SlowlySyncedConnection)  # type: ignore[assignment]  # the same, slower
