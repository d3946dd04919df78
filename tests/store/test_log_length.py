"""However much is written by however many, the write-ahead log stays short: who writes waits until it starts anew."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from store import checkpoints, sqlite
from store.sqlite_store import SqliteStore
from store.transaction import Tx
from tests.support.stores import rows, url_of

WRITERS, WRITES, BYTES = 4, 60, 20_000
LONG = 10 * BYTES


@pytest_asyncio.fixture
async def stores(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[SqliteStore]]:
    """Give stores over one file, whose log must never be long and which have all the time to see to it."""
    monkeypatch.setattr(sqlite, "LOG_BYTES", LONG)
    monkeypatch.setattr(checkpoints, "LONG_BYTES", LONG)
    monkeypatch.setattr(checkpoints, "TOO_LONG_BYTES", 2 * LONG)
    monkeypatch.setattr(checkpoints, "HOLD_BACK_SECONDS", 50.0)
    opened = [await SqliteStore.open(url_of(path)) for _ in range(WRITERS)]
    yield opened
    for store in opened:
        await store.close()


def fill(tx: Tx, name: str) -> None:
    tx.execute("INSERT INTO secrets (name, value) VALUES (?, ?)", (name, "x" * BYTES))


async def test_the_log_stays_short_under_several_writers(stores: list[SqliteStore], path: Path) -> None:
    log, longest = path.with_name(path.name + "-wal"), 0

    async def write(number: int) -> None:
        nonlocal longest
        for count in range(WRITES):
            await stores[number].write(fill, f"{number} {count}")
            longest = max(longest, log.stat().st_size)

    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    assert len(rows(path, "SELECT name FROM secrets WHERE length(value) = 20000")) == WRITERS * WRITES
    assert longest <= 2 * LONG + WRITERS * 3 * BYTES
    assert 5 * longest < WRITERS * WRITES * BYTES
