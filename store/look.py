"""Look at a SQLite store without changing anything: not even a missing file is made."""

import sqlite3
import stat
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from store import sqlite
from store.errors import StoreUnavailable
from store.migrate import is_behind, version_in
from store.transaction import Tx


class Look(NamedTuple):
    """What was found: how many videos, whether the tables await an upgrade, and which files others can read.

    `version` is that of the tables, None where there are none.
    """

    videos: int
    behind: bool
    version: int | None
    readable_by_others: list[Path]


def sqlite_file(database_url: str) -> Path | None:
    """Name the file of a store, absolute, if it is one."""
    prefix = "sqlite:///"
    return Path(database_url.removeprefix(prefix)).absolute() if database_url.startswith(prefix) else None


def look(path: Path) -> Look | None:
    """Look at the store in a file; None if there is no file. Raises `StoreUnavailable` and `StoreTooNew`."""
    if not path.exists():
        return None
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=sqlite.BUSY_SECONDS)
        try:
            tx = Tx(connection)
            tables = tx.execute(sqlite.DIALECT["tables"]).fetchall()
            behind, version = is_behind(tx, sqlite.DIALECT), version_in(tx, sqlite.DIALECT)
            videos = tx.execute("SELECT COUNT(*) FROM videos").fetchone()[0] if ("videos",) in tables else 0
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"cannot read {path}: {error}") from error
    return Look(videos, behind, version, [file for file in _files(path) if _others_can_read(file)])


def _files(path: Path) -> list[Path]:
    return [file for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if file.exists()]


def _others_can_read(file: Path) -> bool:
    return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH))
