"""Bring a database up to this release's tables."""

import re
import sqlite3
from importlib import resources

from store.transaction import Tx

_VERSIONS = "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL);"


class StoreTooNew(Exception):
    """The database was written by a newer release; this one must not touch it."""


def migrate(tx: Tx, dialect: dict[str, str]) -> None:
    """Run, inside the caller's transaction, every migration that this database has not seen.

    Of two processes that start at once the second waits for the first one's transaction and finds nothing
    to do. Raises `StoreTooNew`.
    """
    steps = _steps()
    tx.lock("migrations")
    done = _done(tx, dialect, steps)
    if not done:
        _run(tx, _VERSIONS, dialect)
    for version, (name, script) in steps.items():
        if version not in done:
            _run(tx, script, dialect)
            tx.execute("INSERT INTO migrations (version, name) VALUES (?, ?)", (version, name))


def is_behind(tx: Tx, dialect: dict[str, str]) -> bool:
    """Say whether there is a migration to run; writes nothing. Raises `StoreTooNew`."""
    steps = _steps()
    return not steps.keys() <= _done(tx, dialect, steps)


def newest_version() -> int:
    """Give the version of this release's tables."""
    return max(_steps())


def version_in(tx: Tx, dialect: dict[str, str]) -> int | None:
    """Read the version of a database's tables; None where it has none. Raises `StoreTooNew`."""
    return max(_done(tx, dialect, _steps()), default=None)


def _done(tx: Tx, dialect: dict[str, str], steps: dict[int, tuple[str, str]]) -> set[int]:
    if ("migrations",) not in tx.execute(dialect["tables"]).fetchall():
        return set()
    done = {version for (version,) in tx.execute("SELECT version FROM migrations").fetchall()}
    if max(done) > max(steps):
        raise StoreTooNew(f"the store has schema version {max(done)}, this release knows {max(steps)}")
    return done


def _steps() -> dict[int, tuple[str, str]]:
    """Read the migrations, by the numbers that their names begin with, in that order."""
    folder = resources.files("store") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return {int(file.name.split("_")[0]): (file.name, file.read_text()) for file in files}


def _run(tx: Tx, script: str, dialect: dict[str, str]) -> None:
    script = re.sub(r"\bTEXT\b", dialect["text"], script)
    for placeholder, words in dialect.items():
        script = script.replace("{" + placeholder + "}", words)
    for statement in statements(script):
        tx.execute(statement)


def statements(script: str) -> list[str]:
    """Part a script at the ends of its statements; SQLite itself says where one is complete.

    A `;` inside quotes, a comment or a trigger ends none. Raises ValueError for what is left without an end.
    """
    found = []
    begun = ""
    *ended, rest = script.split(";")
    for piece in ended:
        begun += piece + ";"
        if sqlite3.complete_statement(begun):
            found.append(begun.strip())
            begun = ""
    if any(line.strip() and not line.strip().startswith("--") for line in (begun + rest).splitlines()):
        raise ValueError(f"a migration's last statement has no end: {(begun + rest).strip()[:80]}")
    return found
