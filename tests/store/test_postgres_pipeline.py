"""What a transaction queues for PostgreSQL is done in an order that changes nothing, and no failure of it is lost."""

import psycopg
import pytest

from store import audit
from store.postgres import Session, WritingTx
from store.transaction import Tx
from store.unreadable import Kind, each_of_many


@pytest.fixture
def tx(postgres_session: Session) -> WritingTx:
    return WritingTx(postgres_session, synced=True)


def _note(tx: Tx, name: str) -> None:
    audit.add(tx, actor="a", action=name, subject=None, detail=None, now=1.0)


def _count_day(tx: Tx, day: int) -> None:
    tx.execute("INSERT INTO spending (caller, day, videos) VALUES (?, ?, ?)", ("someone", day, 0))


def _actions(session: Session) -> list[str]:
    return [action for (action,) in session.execute("SELECT action FROM audit ORDER BY id").fetchall()]


@pytest.mark.parametrize("count", [1, 3, 4, 17, 150])
def test_rows_of_many_pieces_arrive_in_their_order(tx: WritingTx, postgres_session: Session, count: int) -> None:
    for number in range(count):
        tx.next_piece()
        _note(tx, f"{number:03}")
        _count_day(tx, number)
    tx.commit()
    assert _actions(postgres_session) == [f"{number:03}" for number in range(count)]
    assert postgres_session.execute("SELECT COUNT(*) FROM spending").fetchone() == (count,)


def test_a_row_never_goes_before_one_of_its_own_piece(tx: WritingTx, postgres_session: Session) -> None:
    insert = "INSERT INTO idempotency_keys (caller, key, fingerprint, video_id, created_at) VALUES (?, ?, ?, ?, ?)"
    tx.execute(insert, ("a", "1", "f", "v", 1.0))
    tx.next_piece()
    _note(tx, "first")
    tx.execute(insert, ("a", "2", "f", "v", 1.0))
    _note(tx, "second")
    tx.commit()
    assert _actions(postgres_session) == ["first", "second"]


def test_a_row_does_not_join_what_an_earlier_piece_takes_back(tx: WritingTx, postgres_session: Session) -> None:
    def note_and_fail() -> None:
        _note(tx, "taken back")
        raise ValueError("cannot be read")

    each_of_many(tx, Kind.VIDEO, {"v": note_and_fail}, now=1.0)
    tx.next_piece()
    _note(tx, "kept")
    tx.commit()
    assert _actions(postgres_session) == ["kept"]


def test_a_commit_after_an_error_that_somebody_caught_is_no_success(tx: WritingTx, postgres_session: Session) -> None:
    _note(tx, "undone")
    with pytest.raises(psycopg.errors.DivisionByZero):
        tx.execute("SELECT 1 / 0").fetchone()
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        tx.commit()
    postgres_session.rollback()
    assert _actions(postgres_session) == []


def test_an_error_of_what_is_queued_comes_with_the_commit(tx: WritingTx, postgres_session: Session) -> None:
    _count_day(tx, 1)
    tx.next_piece()
    _count_day(tx, 1)
    with pytest.raises(psycopg.errors.UniqueViolation):
        tx.commit()
    postgres_session.rollback()
    assert postgres_session.execute("SELECT COUNT(*) FROM spending").fetchone() == (0,)


@pytest.mark.parametrize("pieces", [1, 4])
def test_a_nul_in_a_text_that_came_from_outside_costs_nothing_else(
    tx: WritingTx, postgres_session: Session, pieces: int
) -> None:
    for number in range(pieces):
        tx.next_piece()
        _note(tx, f"before\0after {number}")
    assert tx.execute("SELECT 1 WHERE ? = 'x'", ("a\0",)).fetchone() is None
    tx.commit()
    assert _actions(postgres_session) == [f"before\ufffdafter {number}" for number in range(pieces)]
