"""Record every statement that is run, by the line that runs it, and ask SQLite how it would find its rows."""

import ast
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

from store.transaction import Connection, Tx

ROOT = Path(__file__).parents[2]
ROOMS = ("store", "jobs", "receiver", "generator", "poller", "publisher", "reelbus")
MACHINERY = {"store/sqlite.py", "store/group.py", "store/readers.py", "store/migrate.py", "store/look.py"} | {
    "store/copying.py",
    "store/postgres_look.py",
    "store/server_clock.py",
}
"""What runs no statement on the tables while the service works; the last ones are for commands, asked for by hand."""

SMALL = {
    "CONSTANT",
    "announcements",
    "answer_shapes",
    "api_keys",
    "circuits",
    "clocks",
    "credit_sums",
    "disabled_callers",
    "durations",
    "leases",
    "migrations",
    "pauses",
    "pictures",
    "providers",
    "pruned",
    "secrets",
    "unreadable",
}
"""Tables with a row for each provider or process, or of what is kept for an hour: they do not grow with the history."""

WALKS = {
    "FROM videos ORDER BY id DESC LIMIT": "the list of all videos, newest first, stops at its limit",
    "FROM videos ORDER BY videos.id DESC LIMIT": "the list of all videos, newest first, stops at its limit",
    "FROM videos WHERE videos.id < :before ORDER BY videos.id DESC LIMIT": "the same, from a place on",
    "FROM webhooks ORDER BY id DESC LIMIT": "the newest deliveries, up to a limit",
    "FROM refused_webhooks ORDER BY id DESC LIMIT": "the same",
    "FROM audit ORDER BY id": "the newest or oldest entries, up to a limit",
}
"""Statements that walk an index from one end and stop at their limit, and why that is bounded."""

_SCAN = re.compile(r"SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?")
_TOUCHES = re.compile(r"(?:SCAN|SEARCH) (\S+)")
_MADE_HERE = re.compile(r"(?:CO-ROUTINE|MATERIALIZE) (\S+)")
_SPEAKS_OF_TABLES = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE)\b", re.IGNORECASE)


@dataclass
class Recorded:
    """Which lines ran statements, which functions those were called from, and what the statements were."""

    lines: set[tuple[str, int]] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    statements: dict[str, tuple[str, object]] = field(default_factory=dict)

    def note(self, frame: FrameType | None, sql: str, parameters: object) -> None:
        """Note a statement that the code of a frame runs."""
        assert frame is not None
        where = _place(frame)
        self.lines.add((where, frame.f_lineno))
        if sql not in self.statements and _SPEAKS_OF_TABLES.match(sql):
            self.statements[sql] = (f"{where}:{frame.f_lineno}", parameters)
        while frame is not None and _place(frame).startswith("store/"):
            self.functions.add((_place(frame), frame.f_code.co_name))
            frame = frame.f_back


def _place(frame: FrameType) -> str:
    return frame.f_code.co_filename.removeprefix(f"{ROOT}/")


@contextmanager
def recording() -> Iterator[Recorded]:
    """Record whatever runs in any transaction of this process."""
    recorded = Recorded()
    create = Tx.__init__

    def created(self: Tx, connection: Connection) -> None:
        create(self, connection)
        execute, executemany = self.execute, self.executemany

        def one(sql: str, parameters: Any = ()) -> Any:
            recorded.note(sys._getframe(1), sql, parameters)
            return execute(sql, parameters)

        def many(sql: str, parameters: Any) -> Any:
            sets = list(parameters)
            recorded.note(sys._getframe(1), sql, sets[0] if sets else None)
            return executemany(sql, sets)

        self.execute, self.executemany = one, many

    with mock.patch.object(Tx, "__init__", created):
        yield recorded


def is_ours(place: str) -> bool:
    """Say whether a statement was run by a room, and neither by a test nor by the machinery."""
    path = place.partition(":")[0]
    return path.partition("/")[0] in ROOMS and path not in MACHINERY


def calls_of_statements() -> Iterator[tuple[str, ast.Call]]:
    """List every call of `tx.execute` and `tx.executemany` in the rooms, with its file."""
    for path, tree in _modules():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"execute", "executemany"}
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "tx"
            ):
                yield path, node


def functions_of_tables() -> Iterator[tuple[str, ast.FunctionDef]]:
    """List every public function of the store that works in a transaction, with its file."""
    for path, tree in _modules():
        if path.startswith("store/"):
            for node in tree.body:
                if (
                    isinstance(node, ast.FunctionDef)
                    and not node.name.startswith("_")
                    and [argument.arg for argument in node.args.args[:1]] == ["tx"]
                ):
                    yield path, node


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if is_ours(name):
                yield name, ast.parse(path.read_text())


def faults(connection: sqlite3.Connection, sql: str, parameters: Any) -> list[str]:
    """Say what in a statement's plan grows with the history; empty where nothing does."""
    if parameters is None:
        parameters = [None] * sql.count("?")
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()]
    bounded = SMALL | {match[1] for line in plan if (match := _MADE_HERE.match(line))}
    walks = any(part in " ".join(sql.split()) for part in WALKS)
    found = [line for line in plan if _scans(connection, line, bounded) and not walks]
    touched = {match[1] for line in plan if (match := _TOUCHES.match(line))}
    if "LIMIT" in sql and not touched <= bounded and any("TEMP B-TREE FOR ORDER BY" in line for line in plan):
        found.append("sorts all that it finds before it takes the first few: no index has this order")
    return found


def _scans(connection: sqlite3.Connection, line: str, bounded: set[str]) -> bool:
    scan = _SCAN.match(line)
    if scan is None or scan[1] in bounded:
        return False
    return scan[2] is None or not _is_partial(connection, scan[2])


def _is_partial(connection: sqlite3.Connection, index: str) -> bool:
    row = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", (index,)).fetchone()
    return row is not None and row[0] is not None and " WHERE " in row[0]
