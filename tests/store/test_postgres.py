"""The store in PostgreSQL: what is its own, beside what it shares with the one in a file."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest

from jobs import feed
from process.settings import Settings
from schemas.names import EventType
from store import audit, outbox
from store.bell import Bell
from store.database import Store, StoreUnavailable
from store.lanes import Lane
from store.postgres import CommitUnknown, Session, WritingTx, conninfo
from store.postgres_pipeline import translated_sql
from store.postgres_store import PostgresStore
from store.transaction import Signal, Tx
from tests.store.one_row import names, put, put_and_fail
from tests.support.postgres import Postgres
from tests.support.waiting import GIVE_UP_SECONDS


@pytest.fixture
def url(postgres: Postgres) -> str:
    """Give the address of an empty database that no other test has."""
    return postgres.new()


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.open(url)
    yield opened
    await opened.close()


async def test_processes_that_open_an_empty_database_at_once_make_its_tables_once(postgres: Postgres) -> None:
    url = postgres.new()
    for store in await asyncio.gather(*(Store.open(url) for _ in range(4))):
        await store.close()


async def test_a_piece_that_fails_harms_only_itself(store: PostgresStore) -> None:
    answers = await asyncio.gather(
        *(store.write(put_and_fail if number % 7 == 3 else put, f"row {number}") for number in range(30)),
        return_exceptions=True,
    )
    failed = {f"row {number}" for number in range(30) if number % 7 == 3}
    assert {answer.args[0] for answer in answers if isinstance(answer, ZeroDivisionError)} == failed
    assert await store.read(names) == {f"row {number}" for number in range(30)} - failed


async def test_a_statement_that_was_sent_behind_one_that_failed_can_be_run_again(store: PostgresStore) -> None:
    def fail_before(tx: Tx) -> None:
        tx.execute("SELECT 1 / 0")
        _count(tx)

    for _ in range(4):  # by then the driver has prepared what undoes a transaction
        with pytest.raises(ZeroDivisionError):
            await store.write(put_and_fail, "nothing")
    for _ in range(2):  # the third time it prepares this
        await store.write(_count)
    with pytest.raises(psycopg.errors.DivisionByZero):
        await store.write(fail_before)
    await store.write(_count)
    assert len(await store.read(audit.page, before=None, limit=10)) == 3


async def test_statements_can_be_run_again_after_failures_that_followed_each_other(store: PostgresStore) -> None:
    def fail_before(tx: Tx) -> None:
        tx.execute("SELECT 1 / 0")
        _count(tx)

    for round_ in range(3):  # in the second nothing is prepared when it fails once more
        for _ in range(round_ + 1):
            with pytest.raises(psycopg.errors.DivisionByZero):
                await store.write(fail_before)
        for _ in range(3):  # the third time the driver prepares them
            await store.write(_count)
    assert len(await store.read(audit.page, before=None, limit=20)) == 9


async def test_connections_that_the_server_ends_are_made_anew(store: PostgresStore, url: str) -> None:
    await store.write(put, "before")
    with psycopg.connect(url, autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'reelbus' AND datname = current_database()"
        )
    await store.write(put, "after")
    await store.write_unsynced(put, "and this")
    assert await store.read(names) == {"before", "after", "and this"}


async def test_a_commit_whose_answer_is_lost_is_told_as_unknown(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(put, "before")
    commit = WritingTx.commit

    def lose(tx: WritingTx) -> None:
        commit(tx)
        raise CommitUnknown("lost during the commit")

    with monkeypatch.context() as patch:
        patch.setattr(WritingTx, "commit", lose)
        group = (store.write(_count), store.write(put, "perhaps"), store.write(_count))
        answers = await asyncio.gather(*group, return_exceptions=True)
    assert {type(answer) for answer in answers} == {CommitUnknown}
    await store.write(put, "perhaps")
    assert await store.read(names) == {"before", "perhaps"}
    assert (await store.read(audit.page, before=None, limit=10))[0].id <= 2  # nothing was done twice by the store


async def test_a_commit_wakes_those_who_wait_in_another_process(store: PostgresStore, postgres: Postgres) -> None:
    other = await PostgresStore.open(postgres.server.url(await store.read(_database)))
    try:
        woken = other.listen(Signal.CHECKS)
        while not woken.is_set():  # until it listens; the test's own time-out is the end
            store.notify(Signal.CHECKS)
            await store.write(put, "a webhook")
            await asyncio.sleep(0.2)
    finally:
        await other.close()


def _count(tx: Tx) -> None:
    audit.add(tx, actor="a", action="counted", subject=None, detail=None, now=0.0)


def _database(tx: Tx) -> str:
    name: str = tx.execute("SELECT current_database()").fetchone()[0]
    return name


async def test_a_listener_misses_no_event_that_is_committed_after_a_later_one(
    store: PostgresStore, postgres: Postgres
) -> None:
    slow = Session(conninfo(postgres.server.url(await store.read(_database))))
    unfinished = WritingTx(slow, synced=True)
    _event(unfinished, "first")
    unfinished.send()
    await store.write(_event, "second")
    place = await store.read(feed.place_of, None)
    assert await store.read(feed.after, 0) == []
    unfinished.commit()
    slow.close()
    assert [event.event_id for event in await store.read(feed.after, 0)] == ["first", "second"]
    assert "first" in {event.event_id for event in await store.read(feed.after, min(place, 0))}


def _event(tx: Tx, name: str) -> None:
    outbox.add(
        tx,
        event_id=name,
        video_id=name,
        event_type=EventType.SUBMITTED,
        routing_key="video.submitted",
        body="{}",
        now=time.time(),
    )


@pytest.mark.parametrize(("part", "step"), [(Bell, "_gathered"), (Lane, "_next_group")])
async def test_a_dead_thread_that_writes_or_tells_others_of_work_breaks_the_store(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, part: type, step: str
) -> None:
    def stricken(_: object) -> None:
        raise MemoryError("no memory is left")

    monkeypatch.setattr(part, step, stricken)
    store.notify(Signal.CHECKS)
    with suppress(StoreUnavailable):  # the thread may already be on its way to the step
        await store.write(put, "a row")
    await asyncio.wait_for(store.broken.wait(), GIVE_UP_SECONDS)
    with pytest.raises(StoreUnavailable, match="has died"):
        store.raise_if_broken()


async def test_durable_work_in_hand_is_answered_by_its_commit_though_a_thread_of_claims_dies(
    store: PostgresStore,
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def put_slowly(tx: Tx) -> None:
        put(tx, "a row")
        begun.set()
        may_end.wait(GIVE_UP_SECONDS)

    def stricken(_: Tx) -> None:
        raise SystemExit

    writing = asyncio.ensure_future(store.write(put_slowly))
    await asyncio.to_thread(begun.wait, GIVE_UP_SECONDS)
    with pytest.raises(StoreUnavailable, match="has died"):
        await store.write_unsynced(stricken)
    may_end.set()
    await writing
    assert await store.read(names) == {"a row"}


async def test_a_picture_kept_by_one_process_is_read_by_another(store: PostgresStore) -> None:
    upload = await store.pictures.keep("image/png", b"\0bytes")
    assert upload.name is not None
    await store.pictures.remove([upload.name])


async def test_a_server_that_is_away_is_unavailable_and_no_password_is_told() -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await Store.open("postgresql://someone:very-secret@127.0.0.1:1/db")
    assert "very-secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["postgresql://a:very-secret@h/db", "postgresql://h,g/db?password=very-secret&sslmode=require"]
)
def test_an_address_is_shown_without_its_password(url: str) -> None:
    settings = Settings(database_url=url)
    assert "very-secret" not in settings.shown_database_url + repr(settings)


@pytest.mark.parametrize(
    ("sql", "written", "names"),
    [
        ("SELECT ? WHERE a = ?", "SELECT $1 WHERE a = $2", ("?0", "?1")),
        ("SELECT :b WHERE a = :c OR a = :b", "SELECT $1 WHERE a = $2 OR a = $1", ("b", "c")),
        ("SELECT 'what?' || ':no' || '5%'", "SELECT 'what?' || ':no' || '5%'", ()),
        ("SELECT a % 2, b::int", "SELECT a % 2, b::int", ()),
    ],
)
def test_placeholders_are_numbered_as_the_database_wants_them(sql: str, written: str, names: tuple[str, ...]) -> None:
    assert translated_sql(sql) == (written, names)
