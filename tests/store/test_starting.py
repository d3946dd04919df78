"""Every process starts after a crash, and none lives on without the thread that writes."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bench import starting
from store import sqlite
from store.database import Store, StoreUnavailable
from tests.store.one_row import names, put
from tests.support.stores import rows, url_of
from tests.support.waiting import GIVE_UP_SECONDS

LOG_BYTES = 30 * 2**20


def test_eleven_processes_start_at_once_over_the_log_of_a_crash(path: Path) -> None:
    make(path)
    starting.leave_log(path, LOG_BYTES)
    assert len(starting.start_at_once(path)) == starting.PROCESSES
    assert len(rows(path, "SELECT name FROM secrets WHERE name LIKE 'process %'")) == starting.PROCESSES


def make(path: Path) -> None:
    async def opened() -> None:
        await (await Store.open(url_of(path))).close()

    asyncio.run(opened())


def strike(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Have the writer thread of one file meet, at its next turn, an error that nobody expects."""
    unharmed = sqlite.change_counter

    def stricken(connection: sqlite3.Connection) -> int:
        # Another test's store may still be open in this process: its thread is to live on.
        if Path(connection.execute("PRAGMA database_list").fetchone()[2]).samefile(path):
            raise MemoryError("no memory is left")
        return unharmed(connection)

    monkeypatch.setattr(sqlite, "change_counter", stricken)


async def test_a_writer_that_dies_tells_all_who_wait_and_all_who_come(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(put, "before")

    def slow_and_deadly(_: object) -> None:
        strike(monkeypatch, path)
        raise SystemExit

    with pytest.raises(StoreUnavailable, match="has died"):
        await asyncio.wait_for(store.write(slow_and_deadly), GIVE_UP_SECONDS)
    await asyncio.wait_for(store.broken.wait(), GIVE_UP_SECONDS)
    for write in (store.write, store.write_small, store.write_unsynced):
        with pytest.raises(StoreUnavailable, match="has died"):
            await write(put, "after")
    with pytest.raises(StoreUnavailable, match="has died"):
        store.raise_if_broken()
    assert await store.read(names) == {"before"}


async def test_what_waits_behind_the_error_is_told_as_well(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(put, "before")
    strike(monkeypatch, path)
    waiting = [asyncio.ensure_future(store.write(put, f"row {number}")) for number in range(3)]
    await asyncio.wait_for(store.broken.wait(), GIVE_UP_SECONDS)
    waiting += [asyncio.ensure_future(store.write(put, "late"))]
    answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), GIVE_UP_SECONDS)
    assert isinstance(answers[-1], StoreUnavailable)
    assert all(isinstance(answer, str | StoreUnavailable) for answer in answers)


A_SERVICE = """
import asyncio, sys
from process.settings import Settings
from reelbus.roles import Role, run_roles
from store import sqlite
from store.checkpoints import Checkpoints

def stricken(_):
    raise MemoryError("no memory is left")

async def main():
    asyncio.get_running_loop().call_later(0.5, setattr, {stricken}, stricken)
    await run_roles(Settings(database_url=sys.argv[1]), [Role.POLLER], asyncio.Event())

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("stricken", "told"),
    [
        ('sqlite, "change_counter"', "the thread that writes has died"),
        ('Checkpoints, "_check"', "the thread that keeps the write-ahead log short has died"),
    ],
)
def test_a_process_with_a_dead_thread_of_its_store_ends(path: Path, stricken: str, told: str) -> None:
    program = A_SERVICE.replace("{stricken}", stricken)
    run = subprocess.run(
        [sys.executable, "-c", program, url_of(path)], check=False, timeout=50, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert told in run.stderr
