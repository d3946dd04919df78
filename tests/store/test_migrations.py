"""A store upgrades itself at start, once however many start at once; one from the future is left alone."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.database import Store, StoreUnavailable
from store.migrate import StoreTooNew, _steps, statements
from tests.support.stores import rows, url_of

OPEN_WHEN_TOLD = """
import asyncio, sys
from store.database import Store

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    store = await Store.open(sys.argv[1])
    await store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("_", range(3))
def test_processes_that_open_an_empty_file_at_once_make_its_tables_once(path: Path, _: int) -> None:
    opening = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_WHEN_TOLD, url_of(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    for process in opening:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in opening:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in opening:
        process.communicate(timeout=40)
    assert [process.returncode for process in opening] == [0, 0, 0, 0]
    made = [version for (version,) in rows(path, "SELECT version FROM migrations ORDER BY version")]
    assert made == list(_steps())


async def test_handles_opened_at_once_in_one_process_find_one_store(tmp_path: Path) -> None:
    for number in range(20):
        url = url_of(tmp_path / f"{number}.db")
        for store in await asyncio.gather(*(Store.open(url) for _ in range(4))):
            await store.close()


async def test_a_store_of_a_newer_release_is_refused_and_left_as_it_was(path: Path) -> None:
    await (await Store.open(url_of(path))).close()
    with sqlite3.connect(path) as newer:
        newer.execute("INSERT INTO migrations VALUES (1000, '1000_from_the_future.sql')")
    newer.close()
    before = rows(path, "SELECT * FROM migrations")

    with pytest.raises(StoreTooNew, match="1000"):
        await Store.open(url_of(path))
    assert rows(path, "SELECT * FROM migrations") == before


async def test_opening_again_changes_nothing_and_takes_milliseconds(path: Path) -> None:
    await (await Store.open(url_of(path))).close()
    before = rows(path, "SELECT sql FROM sqlite_master")
    took = []
    for _ in range(5):
        began = time.perf_counter()
        store = await Store.open(url_of(path))
        took.append(time.perf_counter() - began)
        await store.close()
    assert rows(path, "SELECT sql FROM sqlite_master") == before
    assert min(took) < 0.1


async def test_a_migration_that_cannot_be_made_leaves_nothing_half_made(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE leases (name TEXT)")  # in the way of the last but one table
    other.commit()
    other.close()
    with pytest.raises(StoreUnavailable, match="already exists"):
        await Store.open(url_of(path))
    assert rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'") == [("leases",)]


def test_a_script_is_parted_where_its_statements_end() -> None:
    script = """-- A comment; with a semicolon.
CREATE TABLE t (word TEXT DEFAULT 'a;b--c');  -- another; one
CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; SELECT 1; END;
INSERT INTO t VALUES ('it''s; -- here');
-- The end; of all.
"""
    connection = sqlite3.connect(":memory:")
    for statement in statements(script):
        connection.execute(statement)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("t",), ("g",)]
    assert len(statements(script)) == 3


def test_a_script_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="has no end"):
        statements("CREATE TABLE t (x); DROP TABLE t")
