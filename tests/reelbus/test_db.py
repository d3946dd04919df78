"""`reelbus db`: what is copied from one kind of store to the other is the same there, or the command says so."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import accept, audit, view
from reelbus import database_copy
from reelbus.database_copy import CopyFailed
from reelbus.doctor_postgres import server_findings
from schemas.audit import AuditAction
from schemas.video import Video
from store import audit as audit_rows
from store import copying
from store.database import Store
from store.migrate import newest_version
from store.postgres_look import ServerLook, look_at_server
from store.transaction import Tx
from tests.reelbus.conftest import Run
from tests.support.job_scenario import REQUEST
from tests.support.postgres import Postgres
from tests.support.stores import in_memory, tables, url_of

PICTURE = b"\0the bytes of a picture"


async def _fill(url: str, videos: int = 3) -> list[str]:
    """Make a store with videos, one of them from an uploaded picture, and give their ids."""
    store = await Store.open(url)
    picture = await store.pictures.keep("image/png", PICTURE)
    ids = []
    for number in range(videos):
        new = replace(REQUEST, metadata={"n": str(number), "ü": "ß"}, prompt="a\nb")
        if number == 0:
            new = replace(new, image_url=None, picture=picture)
        found = await store.write(accept.accept, new, lambda video: f"https://us.example/{video}", now=1.5 + number)
        assert isinstance(found, accept.AcceptedVideo)
        ids.append(found.video.id)
    await store.write(_drop_last_note)
    await store.close()
    return ids


def _drop_last_note(tx: Tx) -> None:
    tx.execute("DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit)")


async def _seen(url: str, ids: list[str]) -> tuple[list[Video | None], bytes | None, int]:
    """Read videos, the first one's picture, and the number that the next entry of the audit log is given."""
    store = await Store.open(url)
    shown = [await store.read(view.video, video_id) for video_id in ids]
    found = await store.pictures.read(ids[0])
    await store.write(_note)
    (newest,) = await store.read(audit_rows.page, before=None, limit=1)
    await store.close()
    return shown, None if found is None else found[1], newest.id


def _note(tx: Tx) -> None:
    audit.record(tx, AuditAction.SUBMITTED, actor="a", subject="s", now=9.0)


def test_a_copy_to_postgresql_and_back_is_the_same_store(run: Run, tmp_path: Path, postgres: Postgres) -> None:
    source, middle, target = url_of(tmp_path / "a.db"), postgres.new(), url_of(tmp_path / "b.db")
    ids = asyncio.run(_fill(source))
    ended = run("db", "copy", source, middle)
    assert ended.status == 0
    assert "agree" in ended.output
    asyncio.run(database_copy.copy(middle, target, lambda *_: None))
    assert asyncio.run(_seen(target, ids)) == asyncio.run(_seen(source, ids))
    assert asyncio.run(_seen(middle, ids))[1] == PICTURE


def test_an_interrupted_copy_goes_on_where_it_ended(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_copy, "ROWS_AT_ONCE", 2)
    source, target = url_of(tmp_path / "a.db"), postgres.new()
    ids = asyncio.run(_fill(source, 5))
    told = 0

    def interrupt(_: str, rows: int) -> None:
        nonlocal told
        told += rows
        if told >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(database_copy.copy(source, target, interrupt))
    written: list[int] = []
    rows = asyncio.run(database_copy.copy(source, target, lambda _, rows: written.append(rows)))
    assert sum(written) == rows
    assert asyncio.run(_seen(target, ids)) == asyncio.run(_seen(source, ids))


def test_a_target_that_is_a_store_of_its_own_is_refused(run: Run, tmp_path: Path) -> None:
    source, target = url_of(tmp_path / "a.db"), url_of(tmp_path / "b.db")
    for url in (source, target):
        asyncio.run(_fill(url))
    ended = run("db", "copy", source, target)
    assert ended.status == 1
    assert "the target holds other videos already" in ended.errors


def test_a_row_that_was_changed_meanwhile_is_found(tmp_path: Path) -> None:
    source, target = url_of(tmp_path / "a.db"), url_of(tmp_path / "b.db")
    asyncio.run(_fill(source))
    asyncio.run(database_copy.copy(source, target, lambda *_: None))
    with sqlite3.connect(tmp_path / "b.db") as connection:
        connection.execute("UPDATE videos SET prompt = 'another' WHERE id = (SELECT MAX(id) FROM videos)")
    with pytest.raises(CopyFailed, match="videos differ"):
        asyncio.run(database_copy.copy(source, target, lambda *_: None))


def test_every_table_is_copied_in_the_order_of_its_primary_key() -> None:
    assert sorted(table.name for table in copying.TABLES) == sorted({*tables()} - {"picture_bodies", "sqlite_sequence"})
    connection = in_memory()
    for table in copying.TABLES:
        found = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
        assert {column[1] for column in found if column[5]} == {*table.key}, table.name


@pytest.mark.parametrize("words", [("db", "copy", "sqlite:///a.db"), ("db", "status"), ("db", "upgrade"), ("doctor",)])
def test_no_message_shows_a_password(run: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    asyncio.run(_fill(url_of(tmp_path / "a.db"), 1))
    url = "postgresql://someone:very-secret@127.0.0.1:1/db"
    given = (url,) if words[-1].startswith("sqlite") else ()
    ended = run(*words, *given, REELBUS_DATABASE_URL=url)
    assert ended.status == (1 if words == ("doctor",) else 3)
    assert "very-secret" not in ended.output + ended.errors
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_status_and_upgrade_say_which_tables_there_are(run: Run, tmp_path: Path, postgres: Postgres, kind: str) -> None:
    settings = {"REELBUS_DATABASE_URL": url_of(tmp_path / "a.db") if kind == "sqlite" else postgres.new()}
    assert "none yet" in run("db", "status", **settings).output
    assert f"schema version {newest_version()}" in run("db", "upgrade", **settings).output
    assert "up to date" in run("db", "status", **settings).output


def test_an_address_of_another_kind_is_bad_usage(run: Run) -> None:
    assert run("db", "copy", "mysql://a/b", "sqlite:///b.db").status == 2


def test_the_doctor_finds_nothing_wrong_with_a_server_as_it_should_be(postgres: Postgres) -> None:
    found = look_at_server(postgres.new())
    assert {fact[1] for fact in server_findings(found)} == {"ok"}


SOUND = ServerLook(15, None, {"fsync": "on", "synchronous_commit": "on"}, 0.0, pooled=False, hears=True)


@pytest.mark.parametrize(
    ("found", "verdict", "word"),
    [
        (SOUND._replace(release=13), "fail", "PostgreSQL 13"),
        (SOUND._replace(settings={"fsync": "off"} | {"synchronous_commit": "on"}), "fail", "fsync = off"),
        (SOUND._replace(settings={"fsync": "on"} | {"synchronous_commit": "off"}), "fail", "synchronous_commit = off"),
        (SOUND._replace(clock_ahead=-3.0), "warn", "3.0 s behind"),
        (SOUND._replace(hears=False), "fail", "LISTEN"),
        (SOUND._replace(pooled=True), "warn", "pooler"),
    ],
)
def test_the_doctor_names_what_is_wrong_with_a_server(found: ServerLook, verdict: str, word: str) -> None:
    (fact,) = (fact for fact in server_findings(found) if fact[1] != "ok")
    assert fact[1] == verdict
    assert word in fact[2]
    assert fact[3]
