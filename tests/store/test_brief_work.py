"""Brief work is written on the event loop while that is quick, and means the same as any other."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from store.group import GroupCommit
from store.pace import LARGEST_ON_LOOP
from store.sqlite_store import SqliteStore
from store.transaction import Signal, Tx
from tests.store.dying import left_by_the_dead
from tests.store.one_row import names, put, put_and_fail
from tests.store.test_unavailable import locked
from tests.support.stores import rows, url_of
from tests.support.waiting import GIVE_UP_SECONDS


def where(tx: Tx) -> str:
    put(tx, f"row {time.monotonic_ns()}")
    return threading.current_thread().name


def reader(tx: Tx) -> tuple[set[str], str]:
    return names(tx), threading.current_thread().name


def quick(store: SqliteStore) -> None:
    """Make the newest commits quick, whatever the disk did so far."""
    for _ in range(50):
        store._commits.pace.note(commit=0.0, whole=0.0, synced=True)
        store._commits.pace.note(commit=0.0, whole=0.0, synced=False)


def on_the_loop() -> str:
    return threading.current_thread().name


async def test_brief_work_is_written_on_the_event_loop(store: SqliteStore) -> None:
    quick(store)
    assert await asyncio.gather(*(store.write_small(where) for _ in range(3))) == [on_the_loop()] * 3


async def test_a_group_with_other_work_is_left_to_the_writer(store: SqliteStore) -> None:
    written = await asyncio.gather(store.write_small(where), store.write(where), store.write_small(where))
    assert set(written) == {"store-writer"}


async def test_brief_work_does_not_overtake_what_the_writer_has_in_hand(store: SqliteStore) -> None:
    order: list[str] = []
    go_on = threading.Event()

    def slow(_: Tx) -> None:
        go_on.wait(10)
        order.append("slow")

    writing = asyncio.ensure_future(store.write(slow))
    await asyncio.sleep(0.05)
    brief = asyncio.ensure_future(store.write_small(lambda _: order.append("brief")))
    await asyncio.sleep(0.05)
    go_on.set()
    await asyncio.gather(writing, brief)
    assert order == ["slow", "brief"]


async def test_brief_reading_is_done_on_the_event_loop_unless_the_writer_is_at_work(store: SqliteStore) -> None:
    go_on = threading.Event()
    await store.write_small(put, "first")
    assert await store.read_small(reader) == ({"first"}, on_the_loop())

    writing = asyncio.ensure_future(store.write(lambda _: go_on.wait(10)))
    await asyncio.sleep(0.05)
    found, thread = await store.read_small(reader)
    go_on.set()
    await writing
    assert found == {"first"}
    assert thread.startswith("store-reader")


async def test_one_slow_commit_sends_the_next_to_the_writer_thread(store: SqliteStore) -> None:
    quick(store)
    store._commits.pace.note(commit=0.005, whole=0.006, synced=True)
    assert await store.write_small(where) == "store-writer"


async def test_a_group_too_large_for_the_event_loop_is_left_to_the_writer(store: SqliteStore) -> None:
    quick(store)
    written = await asyncio.gather(*(store.write_small(where) for _ in range(LARGEST_ON_LOOP + 1)))
    assert set(written) == {"store-writer"}


async def test_the_event_loop_does_not_wait_for_another_process(store: SqliteStore, path: Path) -> None:
    with locked(path):
        writing = asyncio.ensure_future(store.write_small(where))
        began = time.monotonic()
        await asyncio.sleep(0.1)
        assert time.monotonic() - began < 1
        assert not writing.done()
    assert await asyncio.wait_for(writing, GIVE_UP_SECONDS) == "store-writer"
    assert len(await store.read(names)) == 1


async def test_a_brief_piece_that_fails_harms_only_itself(store: SqliteStore) -> None:
    answers = await asyncio.gather(
        *(store.write_small(put_and_fail if number == 3 else put, f"row {number}") for number in range(6)),
        return_exceptions=True,
    )
    assert [number for number, answer in enumerate(answers) if isinstance(answer, ZeroDivisionError)] == [3]
    assert await store.read(names) == {f"row {number}" for number in range(6) if number != 3}


async def test_brief_work_wakes_who_waits_for_its_topics(store: SqliteStore) -> None:
    events = store.listen(Signal.EVENTS)
    await store.write_small(lambda tx: tx.notify(Signal.EVENTS))
    assert events.is_set()


async def test_who_is_woken_by_added_work_joins_its_commit(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    commit = GroupCommit.commit

    def counting(self: GroupCommit, group: list[Any], **arguments: Any) -> Any:
        groups.append(len(group))
        return commit(self, group, **arguments)

    monkeypatch.setattr(GroupCommit, "commit", counting)
    wake = store.listen(Signal.CHECKS)

    def claim(tx: Tx) -> set[str]:
        put(tx, "a claim")
        return names(tx)

    async def claiming() -> set[str]:
        await wake.wait()
        return await store.write_unsynced(claim)

    claimed = asyncio.create_task(claiming())
    await asyncio.sleep(0)
    store.notify(Signal.CHECKS)
    await store.write_small(put, "a webhook")

    assert await claimed == {"a webhook", "a claim"}
    assert groups == [2]


async def test_brief_work_that_waits_is_written_on_closing(path: Path) -> None:
    store = await SqliteStore.open(url_of(path))
    writing = [asyncio.ensure_future(store.write_small(put, f"row {number}")) for number in range(5)]
    await store.close()
    await asyncio.gather(*writing)
    assert len(rows(path, "SELECT * FROM secrets")) == 5


@pytest.mark.parametrize("_", range(3))
def test_what_was_answered_is_there_though_the_process_died_at_that_instant(path: Path, _: int) -> None:
    assert left_by_the_dead(path, "write_small", 20) == 20
