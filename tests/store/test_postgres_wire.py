"""Statements and values go over a connection to PostgreSQL as they are, whatever their number and size."""

import psycopg
import pytest

from schemas.names import VideoStatus
from store import postgres_wire
from store.postgres import ReadingTx, Session, WritingTx
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("value", "as_type"),
    [
        ("ä\n'\"\\ €", "TEXT"),
        ("", "TEXT"),
        (VideoStatus.READY, "TEXT"),
        (0, "BIGINT"),
        (2**31, "BIGINT"),
        (-(2**63), "BIGINT"),
        (7, "DOUBLE PRECISION"),
        (1732222222.1234567, "DOUBLE PRECISION"),
        (float("inf"), "DOUBLE PRECISION"),
        (b"\0\xff", "BYTEA"),
        (b"", "BYTEA"),
        (None, "TEXT"),
        (True, "BOOLEAN"),
    ],
)
def test_a_value_comes_back_as_it_went(postgres_session: Session, value: object, as_type: str) -> None:
    for _ in range(postgres_wire.PREPARED_FROM + 1):
        found = postgres_session.execute(f"SELECT CAST(? AS {as_type})", (value,)).fetchone()
        assert found == (value,)


def test_what_no_column_can_hold_is_refused_before_anything_is_sent(postgres_session: Session) -> None:
    tx = WritingTx(postgres_session, synced=True)
    tx.execute("SELECT 1")
    with pytest.raises(TypeError, match="object"):
        tx.execute("SELECT ?", (object(),)).fetchone()
    postgres_session.rollback()
    assert postgres_session.execute("SELECT 2").fetchone() == (2,)


def test_more_than_the_network_holds_goes_both_ways_at_once(postgres_session: Session) -> None:
    text = "x" * 200_000
    replies = postgres_session.wire.run([("SELECT CAST($1 AS TEXT)", (f"{number}{text}",)) for number in range(200)])
    assert [reply.fetchall() for reply in replies] == [[(f"{number}{text}",)] for number in range(200)]


def test_more_statements_than_are_kept_prepared_still_run(
    postgres_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_wire, "PREPARED_MOST", 2)
    for _ in range(5):
        answers = [postgres_session.execute(f"SELECT {number}").fetchone() for number in range(5)]
        assert answers == [(number,) for number in range(5)]


def test_a_statement_that_cannot_be_prepared_fails_alone_and_with_its_reason(postgres_session: Session) -> None:
    for _ in range(postgres_wire.PREPARED_FROM + 1):
        with pytest.raises(psycopg.errors.UndefinedTable, match="nowhere"):
            postgres_session.execute("SELECT * FROM nowhere")
    bad = [("SELECT 1", ()), ("SELECT * FROM nowhere_else", ())]
    for _ in range(postgres_wire.PREPARED_FROM + 1):
        with pytest.raises(psycopg.errors.UndefinedTable, match="nowhere_else"):
            postgres_session.wire.run(bad)
        postgres_session.rollback()
    assert postgres_session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("behind", [[], [("SELECT 2", ())]])
def test_a_statement_that_fails_again_and_again_is_prepared_once(
    postgres_session: Session, behind: list[postgres_wire.Statement]
) -> None:
    prepared = "SELECT statement FROM pg_prepared_statements WHERE statement IN ('SELECT 1 / $1', 'SELECT 2')"
    for _ in range(postgres_wire.PREPARED_FROM + 5):
        with pytest.raises(psycopg.errors.DivisionByZero):
            postgres_session.wire.run([("SELECT 1 / $1", (0,)), *behind])
        postgres_session.rollback()
    assert postgres_session.execute(prepared).fetchall() == [("SELECT 1 / $1",)]
    [*_, last] = postgres_session.wire.run([("SELECT 1 / $1", (1,)), *behind])
    assert last.fetchall() == [(2 if behind else 1,)]


@pytest.mark.parametrize("together", [1, 3])
def test_a_connection_that_the_server_ends_is_known_as_lost_at_once(postgres_session: Session, together: int) -> None:
    postgres_session.execute("SELECT 1")
    pid = postgres_session.connection.info.backend_pid
    with psycopg.connect(postgres_session.connection.info.dsn, password="never-shown-anywhere") as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(psycopg.OperationalError):
        postgres_session.wire.run([("SELECT 1", ())] * together)
    assert postgres_session.lost
    assert postgres_session.execute("SELECT 1").fetchone() == (1,)
    postgres_session.execute("SET synchronous_commit = off")  # as whoever shares this connection has it


async def test_a_snapshot_that_was_left_is_over_at_the_server(postgres_session: Session) -> None:
    ReadingTx(postgres_session, now=0.0).execute("SELECT 1").fetchone()
    pid = postgres_session.connection.info.backend_pid
    postgres_session.leave()
    state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(
        postgres_session.connection.info.dsn, password="never-shown-anywhere", autocommit=True
    ) as other:
        await eventually(lambda: other.execute(state, (pid,)).fetchone() == ("idle",))
    assert postgres_session.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_that_ended_after_a_snapshot_is_known_as_lost(postgres_session: Session) -> None:
    ReadingTx(postgres_session, now=0.0).execute("SELECT 1").fetchone()
    pid = postgres_session.connection.info.backend_pid
    postgres_session.leave()
    with psycopg.connect(postgres_session.connection.info.dsn, password="never-shown-anywhere") as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(psycopg.OperationalError):
        postgres_session.execute("SELECT 1")
    assert postgres_session.lost
    assert postgres_session.execute("SELECT 1").fetchone() == (1,)
