"""A store as an earlier release left it: its tables only, and what was in them."""

import sqlite3
from pathlib import Path

from store import copying, sqlite
from store.migrate import _VERSIONS, _run, _steps
from store.postgres import DIALECT, Session, conninfo
from store.transaction import Tx
from tests.support.stores import transact


def copy_to_postgres(file: Path, url: str) -> None:
    """Make an empty PostgreSQL database what a file is that an earlier release wrote: its tables, and its rows."""
    source, target = sqlite3.connect(file, isolation_level=None), Session(conninfo(url))
    try:
        transact(target, _copy, Tx(source))
    finally:
        source.close()
        target.close()


def _copy(tx: Tx, source: Tx) -> None:
    done = source.execute("SELECT version, name FROM migrations").fetchall()
    _run(tx, _VERSIONS, DIALECT)
    tx.executemany("INSERT INTO migrations (version, name) VALUES (?, ?)", done)
    for version, _ in done:
        _run(tx, _steps()[version][1], DIALECT)
    there = {name for (name,) in source.execute(sqlite.DIALECT["tables"]).fetchall()}
    for table in (each for each in copying.TABLES if each.name in there):
        names = copying.columns(source, sqlite.DIALECT, table)
        rows = copying.rows_after(source, table, names, None, limit=10_000)
        if rows:
            copying.add(tx, table, names, rows)
        if table.numbered:
            copying.keep_numbers(tx, DIALECT, table, copying.last_number(source, sqlite.DIALECT, table))
