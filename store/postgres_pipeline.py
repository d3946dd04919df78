"""Statements for PostgreSQL that are sent together when somebody needs an answer: a lazy pipeline.

A trip to the server costs more than most statements. So what only changes is queued, and goes with the next statement
whose rows are read, or with the commit; an error of it comes then. Rows for one table are joined to one INSERT.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from store.postgres_wire import Reply, Statement, Wire
from store.transaction import Parameters

ROWS_AT_ONCE = (64, 32, 16, 8, 4, 2, 1)
"""How many rows one INSERT may have; few different numbers, because each makes a prepared statement of its own."""

_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|::|(\?)|:([a-z_]\w*)")
_PLAIN_INSERT = re.compile(r"(INSERT INTO \w+ \([^()]*\) VALUES )(\((?:\?|, |NULL|\d+|'\w*')*\))")


@cache
def translated_sql(sql: str) -> tuple[str, tuple[str, ...]]:
    """Number a statement's `?` or `:name` as PostgreSQL does; give it with the names in the order of their numbers."""
    names: dict[str, int] = {}

    def one(found: "re.Match[str]") -> str:
        if found[1]:
            return f"${names.setdefault(f'?{len(names)}', len(names) + 1)}"
        return f"${names.setdefault(found[2], len(names) + 1)}" if found[2] else found[0]

    return _PLACEHOLDER.sub(one, sql), tuple(names)


@cache
def _plain_insert(sql: str) -> tuple[str, str] | None:
    """Part an INSERT of one row, of which nothing can be asked and nothing depends, into its head and its row."""
    found = _PLAIN_INSERT.fullmatch(sql)
    return None if found is None else (found[1], found[2])


@cache
def _insert_of(head: str, row: str, rows: int) -> str:
    return translated_sql(head + ", ".join([row] * rows))[0]


def statement(sql: str, parameters: Parameters) -> Statement:
    """Write a statement with `:name` or `?` parameters as the server wants it."""
    written, names = translated_sql(sql)
    return written, [parameters[name] for name in names] if isinstance(parameters, Mapping) else parameters


class Answer:
    """The rows of a statement; to look at them sends it with all that is queued, unless it has been sent."""

    __slots__ = ("_pipeline", "replies", "sent")

    def __init__(self, pipeline: "Pipeline") -> None:
        self._pipeline = pipeline
        self.replies: list[Reply] = []
        self.sent = False

    @property
    def rowcount(self) -> int:
        """Number of rows that a change touched."""
        return sum(reply.rowcount for reply in self._arrived())

    def fetchone(self) -> Any:  # noqa: ANN401 - a row's columns are as various as the statements
        """Give the next row as a tuple, or None."""
        return self._arrived()[0].fetchone()

    def fetchall(self) -> list[Any]:
        """Give all rows as tuples."""
        return self._arrived()[0].fetchall()

    def _arrived(self) -> list[Reply]:
        if not self.sent:
            self._pipeline.send()
        return self.replies


class _Waiting:
    """One statement that waits, with the parameters of each time that it is to be run."""

    __slots__ = ("answer", "insert", "parameters", "sql")

    def __init__(self, sql: str, parameters: list[Parameters], answer: Answer, insert: tuple[str, str] | None) -> None:
        self.sql, self.parameters, self.answer, self.insert = sql, parameters, answer, insert

    def statements(self) -> Iterator[Statement]:
        """Give what is to be sent for it."""
        if self.insert is None:
            yield from (statement(self.sql, parameters) for parameters in self.parameters)
            return
        place = 0
        while place < len(self.parameters):
            rows = next(size for size in ROWS_AT_ONCE if size <= len(self.parameters) - place)
            values = [value for row in self.parameters[place : place + rows] for value in row]
            yield _insert_of(*self.insert, rows), values
            place += rows


class Pipeline:
    """What one transaction runs over a connection."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._waiting: list[_Waiting] = []
        self._joinable: dict[str, int] = {}
        """Where in `_waiting` the INSERTs are that follow its last statement of another kind."""
        self._floor = 0

    def next_piece(self) -> None:
        """Say that what follows depends on nothing that is queued, so that its rows may join earlier INSERTs."""
        self._floor = 0

    def execute(self, sql: str, parameters: Parameters = (), /) -> Answer:
        """Queue one statement with `:name` or `?` parameters."""
        return self._add(sql, [parameters])

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Answer:
        """Queue one statement for each set of parameters."""
        return self._add(sql, list(parameters))

    def send(self) -> None:
        """Send what is queued, and wait for the answers. Raises the first `psycopg.Error` that comes of it."""
        waiting, self._waiting = self._waiting, []
        self._joinable.clear()
        self._floor = 0
        each = [(one.answer, sent) for one in waiting for sent in one.statements()]
        if each:
            for one in waiting:
                one.answer.sent = True
            for (answer, _), reply in zip(each, self._wire.run([sent for _, sent in each]), strict=True):
                answer.replies.append(reply)

    def _add(self, sql: str, parameters: list[Parameters]) -> Answer:
        insert = _plain_insert(sql) if parameters and not isinstance(parameters[0], Mapping) else None
        place = self._joinable.get(sql, -1)
        if insert is not None and place >= self._floor:
            self._floor = place
            self._waiting[place].parameters.extend(parameters)
            return self._waiting[place].answer
        if insert is None:
            self._joinable.clear()
        else:
            self._joinable[sql] = len(self._waiting)
        self._floor = len(self._waiting)
        answer = Answer(self)
        if parameters:
            self._waiting.append(_Waiting(sql, parameters, answer, insert))
        return answer
