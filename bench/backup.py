"""Back a PostgreSQL database up and restore it, the way docs/operating.md says; compare, and tell how long it took."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psycopg

from setup.postgres.binaries import environment, locate

T = TypeVar("T")

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
_ROWS = "SELECT count(*), sum(hashtext(t::text)::bigint) FROM {} AS t"


def back_up_and_restore(url: str, folder: Path) -> None:
    """Back a database up into a folder, drop it, make it anew of the backup. Raises `LookupError` if rows differ."""
    dump = folder / "backup.dump"
    before = _timed("rows counted and hashed", lambda: _contents(url))
    _timed("backed up", lambda: _run("pg_dump", "--format=custom", f"--file={dump}", url))
    print(f"{dump.stat().st_size / 1e9:.2f} GB of backup", flush=True)
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    options = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
    _timed("restored", lambda: _run("pg_restore", *options, f"--dbname={url}", str(dump)))
    after = _contents(url)
    if after != before:
        raise LookupError(f"before the backup {before}, restored {after}")
    print(f"{sum(count for count, _ in after.values()):,} rows of {len(after)} tables are there again")


def _contents(url: str) -> dict[str, tuple[int, int]]:
    """Give the number of rows and a checksum of each table."""
    with psycopg.connect(url, autocommit=True) as connection:
        names = [name for (name,) in connection.execute(_TABLES.encode()).fetchall()]
        return {name: connection.execute(_ROWS.format(name).encode()).fetchone() or (0, 0) for name in names}


def _run(program: str, *arguments: str) -> None:
    binaries = locate()
    subprocess.run([binaries.folder / program, *arguments], env=environment(binaries), check=True)


def _timed(what: str, step: Callable[[], T]) -> T:
    began = time.perf_counter()
    found = step()
    print(f"{what} in {time.perf_counter() - began:.0f} s", flush=True)
    return found
