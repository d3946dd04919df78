"""Bring a database up to this release's tables."""

import sqlite3
from importlib import resources

from store.transaction import Tx

_VERSIONS = "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL)"


class StoreTooNew(Exception):
    """The database was written by a newer release; this one must not touch it."""


def migrate(tx: Tx, dialect: dict[str, str]) -> None:
    """Run, inside the caller's transaction, every migration that this database has not seen.

    Of two processes that start at once the second waits for the first one's transaction and finds nothing
    to do. Raises `StoreTooNew`.
    """
    steps = _steps()
    done = _version(tx, dialect, known=len(steps))
    if done == 0:
        tx.execute(_VERSIONS)
    for version, (name, script) in enumerate(steps, start=1):
        if version > done:
            _run(tx, script, dialect)
            tx.execute("INSERT INTO migrations (version, name) VALUES (?, ?)", (version, name))


def is_behind(tx: Tx, dialect: dict[str, str]) -> bool:
    """Say whether there is a migration to run; writes nothing. Raises `StoreTooNew`."""
    known = len(_steps())
    return _version(tx, dialect, known=known) < known


def _version(tx: Tx, dialect: dict[str, str], *, known: int) -> int:
    if ("migrations",) not in tx.execute(dialect["tables"]).fetchall():
        return 0
    version: int = tx.execute("SELECT MAX(version) FROM migrations").fetchone()[0]
    if version > known:
        raise StoreTooNew(f"the store has schema version {version}, this release knows {known}")
    return version


def _steps() -> list[tuple[str, str]]:
    folder = resources.files("store") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [(file.name, file.read_text()) for file in files]


def _run(tx: Tx, script: str, dialect: dict[str, str]) -> None:
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
