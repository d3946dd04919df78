"""A store that cannot be written says so, has changed nothing, and works again as soon as it can."""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from store import sqlite
from store.errors import StoreUnavailable
from store.sqlite_store import SqliteStore as Store
from store.transaction import Tx
from tests.store.one_row import names, put
from tests.support.stores import rows, url_of
from tests.support.waiting import GIVE_UP_SECONDS

IMPATIENT = 0.3


@pytest.fixture
async def impatient(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """Open the store with a short wait for others' transactions."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", IMPATIENT)
    store = await Store.open(url_of(path))
    yield store
    await store.close()


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold the file as another process might."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield other
    finally:
        if other.in_transaction:
            other.execute("COMMIT")
        other.close()


async def test_work_waits_for_another_processs_transaction_and_is_then_done(store: Store, path: Path) -> None:
    with locked(path) as other:
        writing = asyncio.ensure_future(store.write(put, "patient"))
        await asyncio.sleep(1)
        assert not writing.done()
        other.execute("COMMIT")
        await asyncio.wait_for(asyncio.wait([writing]), GIVE_UP_SECONDS)
    assert await store.read(names) == {"patient"}


async def test_a_store_that_stays_locked_is_unavailable_and_then_there_again(impatient: Store, path: Path) -> None:
    with locked(path):
        with pytest.raises(StoreUnavailable, match="locked"):
            await impatient.write(put, "first")
        assert await impatient.read(names) == set()
    await impatient.write(put, "second")
    assert await impatient.read(names) == {"second"}


async def test_a_store_that_cannot_be_written_now_is_opened_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await Store.open(url_of(path))
    await first.write(put, "a secret")
    await first.close()
    begin = sqlite.begin

    def begin_read_only(tx: Tx, *, busy_timeout: float | None = None) -> None:
        tx.execute("PRAGMA query_only = ON")
        begin(tx, busy_timeout=busy_timeout)

    monkeypatch.setattr(sqlite, "begin", begin_read_only)
    store = await Store.open(url_of(path))
    assert await store.read(names) == {"a secret"}
    with pytest.raises(StoreUnavailable, match="readonly"):
        await store.write(put, "another")
    await store.close()


async def test_however_many_wait_for_a_locked_store_they_are_told_after_one_wait(impatient: Store, path: Path) -> None:
    with locked(path):
        began = time.monotonic()
        answers = await asyncio.gather(
            *(impatient.write(put, f"row {number}") for number in range(30)), return_exceptions=True
        )
        took = time.monotonic() - began
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert took < 20 * IMPATIENT  # one by one it were 30 times as long


async def test_a_store_that_became_read_only_can_be_read_and_later_written_again(store: Store) -> None:
    await store.write(put, "before")
    store._commits.connection.execute("PRAGMA query_only = ON")
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="readonly"):
            await store.write(put, "meanwhile")
    assert await store.read(names) == {"before"}
    store._commits.connection.execute("PRAGMA query_only = OFF")
    await store.write(put, "after")
    assert await store.read(names) == {"before", "after"}


def large(tx: Tx, name: str) -> None:
    tx.execute("INSERT INTO secrets VALUES (?, ?)", (name, "x" * 200_000))


async def test_on_a_full_disk_small_work_goes_on_and_large_work_is_unavailable(store: Store) -> None:
    pages = store._commits.connection.execute("PRAGMA page_count").fetchone()[0]
    store._commits.connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    answers = await asyncio.gather(
        store.write(put, "small"), store.write(large, "large"), store.write(put, "small too"), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [str, StoreUnavailable, str]
    assert await store.read(names) == {"small", "small too"}

    store._commits.connection.execute("PRAGMA max_page_count = 1000000")
    await store.write(large, "large")
    assert await store.read(names) == {"small", "small too", "large"}


FULL_DISK = """
import asyncio, os, resource, sys
from store.database import Store, StoreUnavailable
from tests.store.one_row import names, put
from tests.store.test_unavailable import large

async def main():
    store = await Store.open(sys.argv[1])
    await store.write(put, "before")
    quota = os.path.getsize(sys.argv[1][10:] + "-wal") + 50_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (quota, resource.RLIM_INFINITY))
    try:
        await store.write(large, "too much")
    except StoreUnavailable:
        print("unavailable")
    print(sorted(await store.read(names)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.write(large, "enough room now")
    await store.close()

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_loses_nothing_and_goes_on_when_it_may(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, url_of(path)], check=True, timeout=50, capture_output=True, text=True
    )
    assert run.stdout.splitlines() == ["unavailable", "['before']"]
    assert rows(path, "SELECT name FROM secrets ORDER BY name") == [("before",), ("enough room now",)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


FORBIDDEN = """
import asyncio, os, sys
from store.database import Store, StoreUnavailable

async def main():
    try:
        await Store.open(sys.argv[1])
    except StoreUnavailable as error:
        print("unavailable:", error)

if os.getuid() == 0:
    os.setuid(65534)
asyncio.run(main())
"""


@pytest.mark.parametrize("which", ["a file that may only be read", "a folder that may not be entered"])
def test_a_store_that_may_not_be_written_cannot_be_opened(which: str) -> None:
    # pytest's own folders are closed to the user that a privileged test turns into.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reelbus.db"
        path.touch()
        path.chmod(0o444)
        Path(folder).chmod(0o555 if which.startswith("a file") else 0o000)
        run = subprocess.run(
            [sys.executable, "-c", FORBIDDEN, url_of(path)], check=False, timeout=50, capture_output=True, text=True
        )
        Path(folder).chmod(0o700)
    assert run.stdout.startswith("unavailable: cannot open"), run.stderr


def test_what_is_no_database_is_unavailable_and_left_as_it_was(path: Path) -> None:
    path.write_text("Dear diary, today I was not a database. " * 50)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="not a database"):
        asyncio.run(Store.open(url_of(path)))
    assert path.read_bytes() == before


async def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    store = await Store.open(url_of(tmp_path / "some" / "where" / "reelbus.db"))
    await store.write(put, "there")
    await store.close()


def _leave_a_question_unread(tx: Tx) -> None:
    unread = tx.execute("SELECT name FROM sqlite_master")  # as many rows as there are tables
    assert unread.fetchone()
    tx.execute("INSERT INTO nowhere VALUES (1)")


@pytest.mark.parametrize("way", ["write", "read"])
async def test_work_that_failed_over_an_unread_answer_leaves_no_old_state_behind(
    way: str, store: Store, path: Path
) -> None:
    with pytest.raises((StoreUnavailable, sqlite3.Error)) as kept:  # with it all that its frames hold
        await getattr(store, way)(_leave_a_question_unread)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE shelf (book TEXT)")
        other.commit()
    assert await store.read(lambda tx: tx.execute("SELECT COUNT(*) FROM shelf").fetchone()) == (0,)
    await store.write(lambda tx: tx.execute("INSERT INTO shelf VALUES ('one')"))
    assert kept.value.__traceback__ is not None
