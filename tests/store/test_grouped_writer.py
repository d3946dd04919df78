"""Work that waits is committed together, each piece wholly or not at all, and answered after the commit."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from store.sqlite_store import SqliteStore
from store.transaction import Signal, Tx
from tests.store.dying import left_by_the_dead
from tests.store.one_row import names, put, put_and_fail
from tests.support.stores import rows, url_of
from tests.support.waiting import GIVE_UP_SECONDS


def traced(store: SqliteStore) -> list[str]:
    """Note what the writer says to SQLite from now on."""
    said: list[str] = []
    store._commits.connection.set_trace_callback(said.append)
    return said


async def test_what_waits_together_is_committed_once(store: SqliteStore) -> None:
    said = traced(store)
    await asyncio.gather(*(store.write(put, f"row {number}") for number in range(500)))
    assert said.count("BEGIN IMMEDIATE") == said.count("COMMIT") == 1
    assert len(await store.read(names)) == 500


async def test_a_piece_that_fails_harms_only_itself(store: SqliteStore) -> None:
    answers = await asyncio.gather(
        *(store.write(put_and_fail if number % 7 == 3 else put, f"row {number}") for number in range(50)),
        return_exceptions=True,
    )
    failed = {f"row {number}" for number in range(50) if number % 7 == 3}
    assert {answer.args[0] for answer in answers if isinstance(answer, ZeroDivisionError)} == failed
    assert await store.read(names) == {f"row {number}" for number in range(50)} - failed


async def test_an_error_of_the_work_reaches_its_caller_as_it_is(store: SqliteStore) -> None:
    def doubled(tx: Tx) -> None:
        tx.execute("INSERT INTO secrets VALUES ('same', 'a')")
        tx.execute("INSERT INTO secrets VALUES ('same', 'b')")

    with pytest.raises(sqlite3.IntegrityError):
        await store.write(doubled)
    assert await store.read(names) == set()


async def test_nobody_is_answered_before_the_commit(store: SqliteStore) -> None:
    await answers_follow_the_commit(store)


class SlowToCommit:
    """The writer's connection, with a disk that takes its time."""

    def __init__(self, connection: sqlite3.Connection, order: list[str]) -> None:
        self._connection = connection
        self._order = order

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            time.sleep(0.2)
            self._order.append("committed")
        return self._connection.execute(sql, *parameters)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


async def answers_follow_the_commit(store: SqliteStore) -> None:
    """Make commits slow, and see who hurries."""
    order: list[str] = []

    async def write(name: str) -> None:
        await store.write(put, name)
        order.append("answered")

    store._commits.connection = SlowToCommit(store._commits.connection, order)  # type: ignore[assignment]  # as far as the writer can tell
    await asyncio.gather(*(write(f"row {number}") for number in range(3)))
    await store.write(put, "after all")
    assert order == ["committed", "answered", "answered", "answered", "committed"]


async def test_more_than_a_largest_group_is_done_all_the_same(store: SqliteStore) -> None:
    answers = await asyncio.gather(*(store.write(put, f"row {number}") for number in range(5000)))
    assert len(answers) == len(await store.read(names)) == 5000


async def test_work_is_done_in_the_order_in_which_it_was_given(store: SqliteStore) -> None:
    done: list[int] = []

    def do(_: Tx, number: int) -> None:
        done.append(number)

    await asyncio.gather(*(store.write(do, number) for number in range(100)))
    assert done == list(range(100))


async def test_a_caller_that_goes_away_takes_nobody_along(store: SqliteStore) -> None:
    async def call(name: str) -> None:
        await store.write(put, name)

    leaving, staying = asyncio.create_task(call("left")), asyncio.create_task(call("stayed"))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert "stayed" in await store.read(names)


async def test_nobody_sees_what_is_not_committed(store: SqliteStore, path: Path) -> None:
    half_way, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        put(tx, "first half")
        half_way.set()
        go_on.wait(10)
        put(tx, "second half")

    writing = asyncio.ensure_future(store.write(slow))
    await asyncio.to_thread(half_way.wait, 10)
    assert await store.read(names) == set()
    assert rows(path, "SELECT * FROM secrets") == []
    assert not writing.done()
    go_on.set()
    await writing
    assert await store.read(names) == {"first half", "second half"}


async def test_a_reader_sees_one_moment_however_much_is_written_meanwhile(store: SqliteStore, path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[set[str], set[str]]:
        before = names(tx)
        began.set()
        go_on.wait(10)
        return before, names(tx)

    reading = asyncio.create_task(store.read(twice))
    await asyncio.to_thread(began.wait, 10)
    await store.write(put, "meanwhile")
    go_on.set()
    before, after = await reading
    assert before == after == set()
    assert len(rows(path, "SELECT * FROM secrets")) == 1


async def test_what_reads_cannot_leave_anything_behind(store: SqliteStore) -> None:
    await store.read(put, "by a reader")
    assert await store.read(names) == set()


def test_what_was_answered_is_there_though_the_process_died_at_that_instant(path: Path) -> None:
    assert left_by_the_dead(path, "write", 20) == 20


DEAD_IN_THE_MIDDLE = """
import asyncio, os, sys
from store.database import Store
from tests.store.dying import left_by_the_dead
from tests.store.one_row import put

async def main():
    store = await Store.open(sys.argv[1])
    await store.write(put, "before")
    await asyncio.gather(store.write(put, "half"), store.write(lambda tx: os._exit(9)))

asyncio.run(main())
"""


async def test_what_was_not_committed_is_not_there_after_a_crash(path: Path) -> None:
    dying = [sys.executable, "-c", DEAD_IN_THE_MIDDLE, url_of(path)]
    died = await asyncio.to_thread(subprocess.run, dying, check=False, timeout=50)
    assert died.returncode == 9
    store = await SqliteStore.open(url_of(path))
    assert await store.read(names) == {"before"}
    await store.close()


async def test_a_commit_wakes_those_who_wait_for_its_topics_and_nobody_else(store: SqliteStore) -> None:
    events, checks = store.listen(Signal.EVENTS), store.listen(Signal.CHECKS)
    await store.write(lambda tx: tx.notify(Signal.EVENTS))
    await asyncio.wait_for(events.wait(), GIVE_UP_SECONDS)
    await store.write(put, "another turn of the writer")
    assert not checks.is_set()


async def test_a_piece_that_fails_wakes_nobody(store: SqliteStore) -> None:
    events = store.listen(Signal.EVENTS)

    def wake_and_fail(tx: Tx) -> None:
        tx.notify(Signal.EVENTS)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(wake_and_fail)
    await store.write(put, "another turn of the writer")
    assert not events.is_set()


ANOTHER_PROCESS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("INSERT INTO secrets VALUES ('from', 'elsewhere')")
connection.commit()
"""


async def test_a_commit_of_another_process_wakes_everybody(store: SqliteStore, path: Path) -> None:
    waiting = [store.listen(topic) for topic in Signal]
    other = [sys.executable, "-c", ANOTHER_PROCESS, str(path)]
    await asyncio.to_thread(subprocess.run, other, check=True, timeout=50)
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in waiting)), GIVE_UP_SECONDS)


async def test_closing_commits_what_waits(path: Path) -> None:
    store = await SqliteStore.open(url_of(path))
    writing = [asyncio.ensure_future(store.write(put, f"row {number}")) for number in range(10)]
    await store.close()
    await asyncio.gather(*writing)
    assert len(rows(path, "SELECT * FROM secrets")) == 10


@pytest.mark.parametrize("url", ["reelbus.db", "sqlite://", "sqlite:///", "mysql://host/db"])
async def test_an_address_of_another_form_is_refused_with_the_mend(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///PATH"):
        await SqliteStore.open(url)
