"""A commit is on the disk when it returns, and a writing transaction waits for its turn from its first statement."""

import asyncio
import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

import pytest

from schemas.names import EventType
from store import outbox, sqlite
from store.database import Store
from store.transaction import Tx
from tests.store.dying import left_by_the_dead
from tests.store.one_row import names, put
from tests.support.stores import rows, url_of

NORMAL, FULL = 1, 2


async def test_every_commit_is_synced(store: Store) -> None:
    for write in (store.write, store.write_small):
        await store.write_unsynced(put, "anything")
        assert await write(pragma, "synchronous") == FULL
    assert await store.write(pragma, "journal_mode") == "wal"


async def test_for_what_would_be_done_again_alone_nothing_is_synced(store: Store) -> None:
    assert await store.write_unsynced(pragma, "synchronous") == NORMAL
    together = await asyncio.gather(
        store.write_unsynced(pragma, "synchronous"),
        store.write_small(put, "an answer"),
        store.write_unsynced(pragma, "synchronous"),
    )
    assert (together[0], together[2]) == (FULL, FULL)


def decide(tx: Tx) -> object:
    """Do what a claim does that finds the attempt of a dead process: put an event into the outbox."""
    outbox.add(
        tx, event_id="e", video_id="v", event_type=EventType.FAILED, routing_key="video.failed", body="{}", now=1.0
    )
    return pragma(tx, "synchronous")


async def test_what_is_decided_is_synced_however_it_was_called(store: Store) -> None:
    _, synchronous, found = await asyncio.gather(
        store.write_unsynced(put, "a lease"), store.write_unsynced(decide), store.write_unsynced(names)
    )
    assert (synchronous, found) == (FULL, {"a lease"})
    assert len(await store.read(outbox.after, seq=0, limit=9)) == 1
    assert await store.write_unsynced(pragma, "synchronous") == NORMAL


def test_what_would_be_done_again_outlives_the_process_all_the_same(path: Path) -> None:
    assert left_by_the_dead(path, "write_unsynced", 1) == 1


async def test_what_was_written_soon_leaves_the_write_ahead_log(store: Store, path: Path, tmp_path: Path) -> None:
    for number in range(60):
        await store.write(put, f"row {number}")
    alone = tmp_path / "without-its-log.db"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shutil.copy(path, alone)
        with suppress(sqlite3.OperationalError):  # even the tables are in the log at first
            if len(rows(alone, "SELECT * FROM secrets")) >= 50:
                return
        await asyncio.sleep(0.02)
    pytest.fail("the rows are in the write-ahead log only")


async def test_rows_cannot_refer_to_what_does_not_exist(store: Store) -> None:
    assert await store.write(pragma, "foreign_keys") == 1


def pragma(tx: Tx, name: str) -> object:
    answer: object = tx.execute(f"PRAGMA {name}").fetchone()[0]
    return answer


def read_then_write(tx: Tx, name: str) -> int:
    """Decide by what is read, and write it: what a deferred transaction may refuse to do."""
    seen = len(names(tx))
    put(tx, f"{name} saw {seen}")
    return seen


async def test_two_handles_that_read_before_they_write_take_turns(path: Path) -> None:
    await take_turns(path)


async def take_turns(path: Path) -> None:
    """Have two handles read and write at once; each must see all that was committed before."""
    stores = [await Store.open(url_of(path)) for _ in range(2)]

    async def many(store: Store, name: str) -> list[int]:
        return [await store.write(read_then_write, f"{name} {number}") for number in range(60)]

    try:
        seen = await asyncio.gather(many(stores[0], "left"), many(stores[1], "right"))
    finally:
        for store in stores:
            await store.close()
    assert sorted([*seen[0], *seen[1]]) == list(range(120))


def test_a_transaction_holds_the_file_from_its_beginning(path: Path) -> None:
    mine, other = sqlite.connect(path), sqlite3.connect(path, timeout=0, isolation_level=None)
    mine.execute("CREATE TABLE t (x)")
    sqlite.begin(Tx(mine))
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    mine.close()
    other.close()
