"""A service goes on while a newer release upgrades its tables, and old and new processes work side by side."""

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobs import view
from schemas.names import ProviderChoice
from store import migrate, outbox
from store.database import Store
from store.migrate import StoreTooNew, newest_version, statements
from store.transaction import Tx
from store.video_lists import EVERY
from tests.store.first_release import WRITTEN_AT, request
from tests.store.living_on import live_on
from tests.support.stores import url_of

NEXT = """
CREATE TABLE later (id {sequence}, note TEXT NOT NULL);
ALTER TABLE videos ADD COLUMN later TEXT;
ALTER TABLE attempts ADD COLUMN later INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN later DOUBLE PRECISION;
ALTER TABLE history ADD COLUMN later TEXT NOT NULL DEFAULT '';
ALTER TABLE credits ADD COLUMN later TEXT;
CREATE INDEX attempts_later ON attempts (provider, later);
INSERT INTO later (note) SELECT id FROM videos;
"""
"""What a newer release may do: migrations only add."""

_ADDING = re.compile(
    r"(--.*\n|\s)*"
    r"(CREATE TABLE \w+ \(|CREATE INDEX \w+ ON|INSERT INTO"
    r"|ALTER TABLE \w+ ADD COLUMN \w+ (?!.*NOT NULL(?!.*DEFAULT)))"
)
_ONLY_ADDED_SINCE = 30
"""PostgreSQL has been supported since this migration, and with it many hosts that are upgraded one by one."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, path: Path) -> str:
    """Name an empty store."""
    return url_of(path) if request.param == "sqlite" else request.getfixturevalue("postgres").new()


@pytest.fixture
async def old(url: str) -> AsyncIterator[Store]:
    """Open the store as an older process did, before there was a newer release."""
    store = await Store.open(url)
    yield store
    await store.close()


class _Service:
    """Makes one video after the other, each by whichever process has its turn."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self._times: Iterator[float] = itertools.count(WRITTEN_AT, 10.0)

    async def make(self, store: Store) -> None:
        """Have a process accept a video, read it back and do what is to be done for all."""
        now = next(self._times)
        self.made.append(await store.write(_requested, f"video {len(self.made)}", now))
        await store.write(live_on, now)
        await store.read(view.existing, self.made[-1])
        await store.read(view.page, EVERY, cursor=None, limit=5)
        sendable = await store.read_small(outbox.sendable, now=now, limit=50)
        await store.write_unsynced(outbox.mark_published, [event.seq for event in sendable], now=now)

    async def finish(self, *stores: Store) -> None:
        """Have processes do in turns what is left to be done."""
        for store, _ in zip(itertools.cycle(stores), range(40), strict=False):
            await store.write(live_on, next(self._times))

    async def make_until(self, enough: asyncio.Event, store: Store) -> None:
        while not enough.is_set():
            await self.make(store)


def _requested(tx: Tx, note: str, now: float) -> str:
    return request(tx, note, ProviderChoice("auto"), now=now)


def _newer_release(monkeypatch: pytest.MonkeyPatch) -> int:
    """Have whoever opens a store from now on be of a release with one migration more; give its number."""
    number = newest_version() + 1
    steps = {**migrate._steps(), number: (f"{number}_later.sql", NEXT)}
    monkeypatch.setattr(migrate, "_steps", lambda: steps)
    return number


async def test_old_processes_work_on_while_tables_are_upgraded_and_beside_new_ones(
    url: str, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, enough = _Service(), asyncio.Event()
    for _ in range(5):  # enough for each statement to be a prepared one
        await service.make(old)
    working = asyncio.create_task(service.make_until(enough, old))
    with monkeypatch.context() as patch:
        number = _newer_release(patch)
        new = await Store.open(url)
    try:
        enough.set()
        await working
        assert await new.read(_newest) == number
        for _ in range(5):
            await service.make(old)
            await service.make(new)
        await service.finish(old, new)
        await _each_ended_once(service, new)
    finally:
        await new.close()


def _newest(tx: Tx) -> int:
    [number] = tx.execute("SELECT MAX(version) FROM migrations").fetchone()
    return int(number)


async def _each_ended_once(service: _Service, store: Store) -> None:
    events = await store.read(outbox.after, seq=0, limit=100_000)
    ends = Counter(event.video_id for event in events if event.type in {"video.ready", "video.failed"})
    assert ends == Counter(dict.fromkeys(service.made, 1))


async def test_an_old_process_that_is_started_after_the_upgrade_refuses_and_those_that_run_go_on(
    url: str, old: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = _Service()
    with monkeypatch.context() as patch:
        number = _newer_release(patch)
        await (await Store.open(url)).close()
    with pytest.raises(StoreTooNew, match=str(number)):
        await Store.open(url)
    await service.make(old)


def test_migrations_only_add_so_that_an_older_release_can_work_beside_a_newer_one() -> None:
    for version, (name, script) in migrate._steps().items():
        if version >= _ONLY_ADDED_SINCE:
            for statement in statements(script):
                assert _ADDING.match(statement), f"{name}: {statement}"
