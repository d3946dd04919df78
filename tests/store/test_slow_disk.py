"""Whatever the disk takes for a sync, the event loop does not wait for it."""

import asyncio
import sqlite3
import threading
import time
from typing import Any

import pytest

from store.sqlite_store import SqliteStore
from tests.store.one_row import put
from tests.store.test_brief_work import quick

CALLERS, FOR_SECONDS = 64, 1.0


class SlowDisk:
    """The writer's connection, over a disk that takes so many seconds for each commit that is synced."""

    def __init__(self, connection: sqlite3.Connection, sync: float) -> None:
        self._connection = connection
        self._synced = True
        self.sync = sync
        self.commits = 0
        self.held: list[float] = []
        """How many seconds each commit that was made on the event loop waited for a sync."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith("PRAGMA synchronous"):
            self._synced = sql.endswith("FULL")
        if sql != "COMMIT":
            return self._connection.execute(sql, *parameters)
        took = self.sync if self._synced else 0.0
        time.sleep(took)
        self.commits += 1
        if threading.current_thread() is threading.main_thread():
            self.held.append(took)
        return self._connection.execute(sql)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def on_slow_disk(store: SqliteStore, sync: float) -> SlowDisk:
    disk = SlowDisk(store._commits.connection, sync)
    store._commits.connection = disk  # type: ignore[assignment]  # as far as the writer can tell
    return disk


@pytest.mark.parametrize("sync", [0.005, 0.03, 0.2])
@pytest.mark.parametrize("mixed", [False, True])
async def test_the_event_loop_waits_for_hardly_any_sync(store: SqliteStore, sync: float, *, mixed: bool) -> None:
    disk = on_slow_disk(store, sync)
    ends_at = time.monotonic() + FOR_SECONDS

    async def call(number: int) -> None:
        write = store.write_unsynced if mixed and number % 2 else store.write_small
        while time.monotonic() < ends_at:
            await write(put, f"row {number} {time.monotonic_ns()}")

    await asyncio.gather(*(call(number) for number in range(CALLERS)))
    assert disk.commits > 3
    assert sum(disk.held) <= 0.1 * FOR_SECONDS
    assert max(disk.held, default=0.0) <= 0.02


async def test_a_disk_that_becomes_slow_holds_the_event_loop_once(store: SqliteStore) -> None:
    disk = on_slow_disk(store, 0.0)
    for number in range(40):
        await store.write_small(put, f"quick {number}")
    quick(store)
    disk.held.clear()
    disk.sync = 0.03
    for number in range(40):
        await store.write_small(put, f"slow {number}")
        await store.write_unsynced(put, f"between {number}")
    assert len([seconds for seconds in disk.held if seconds >= disk.sync]) == 1


async def test_a_disk_that_is_quick_again_is_trusted_again(store: SqliteStore) -> None:
    disk = on_slow_disk(store, 0.03)
    for number in range(3):
        await store.write_small(put, f"slow {number}")
    disk.sync = 0.0
    quick(store)
    disk.held.clear()
    await store.write_small(put, "quick")
    assert len(disk.held) == 1
