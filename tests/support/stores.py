"""Stores for tests: bare connections in memory where thousands are needed, files through the real writer elsewhere."""

import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from store import sqlite
from store.migrate import migrate
from store.postgres import Session, WritingTx
from store.transaction import Tx

P = ParamSpec("P")
T = TypeVar("T")


@cache
def _template() -> bytes:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    transact(connection, migrate, sqlite.DIALECT)
    return connection.serialize()


def in_memory() -> sqlite3.Connection:
    """Give a store of this release's tables without a file: nothing is ever synced."""
    connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
    connection.deserialize(_template())
    return connection


def emptied(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Forget all that a store holds; much quicker than a new one, whose statements must be compiled anew."""
    for table in tables():
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables' names
    return connection


@cache
def tables() -> list[str]:
    """Name the tables of this release, those of the migrations' own list left out."""
    names = in_memory().execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [name for (name,) in names if name != "migrations"]


def transact(
    connection: sqlite3.Connection | Session,
    work: Callable[Concatenate[Tx, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do a piece of work in one transaction: all of it, or none."""
    if isinstance(connection, Session):
        return _transact_on_postgres(connection, lambda tx: work(tx, *args, **kwargs))
    tx = Tx(connection)
    sqlite.begin(tx)
    try:
        result = work(tx, *args, **kwargs)
        tx.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            tx.execute("ROLLBACK")
        raise
    return result


def _transact_on_postgres(session: Session, work: Callable[[Tx], T]) -> T:
    try:
        tx = WritingTx(session, synced=True)
        result = work(tx)
        tx.commit()
    except BaseException:
        session.rollback()
        raise
    return result


def url_of(path: Path) -> str:
    """Name a file as the settings do."""
    return f"sqlite:///{path}"


def rows(path: Path, sql: str, *parameters: object) -> list[Any]:
    """Read a store from outside, as an operator with a shell would."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()
