"""Statements over one connection to PostgreSQL: prepared once, sent together, answered in their order.

This is psycopg's `pq`, libpq's own functions: a cursor for each statement costs several times the processor time that
they need (`docs/scaling.md` has the figures).
"""

import select
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import Transformer
from psycopg.pq.abc import PGresult

from store.postgres_values import BINARY, Given, as_given

PREPARED_FROM = 3
"""The how manieth time of a statement prepares it."""

PREPARED_MOST = 500
"""How many statements one connection keeps prepared; those that come later are not."""

_NOTHING_MORE = 3
"""How often in turn libpq may say that nothing has come, where something must; a connection that ends says it."""

_Key = tuple[str, tuple[int, ...]]
"""What is prepared: SQL, and the types of its values."""

Statement = tuple[str, Sequence[object]]
"""SQL with `$1`, `$2` …, and a value for each."""


class Reply:
    """What came of one statement."""

    __slots__ = ("_place", "_reader", "_result")

    def __init__(self, result: PGresult, reader: Transformer) -> None:
        self._result, self._reader, self._place = result, reader, 0

    @property
    def rowcount(self) -> int:
        """Number of rows that a change touched, or that a SELECT gave."""
        return self._result.command_tuples or 0

    @property
    def status(self) -> str:
        """The server's word for what was done, such as COMMIT."""
        return (self._result.command_status or b"").decode()

    def fetchone(self) -> Any:  # noqa: ANN401 - a row's columns are as various as the statements
        """Give the next row as a tuple, or None."""
        rows = self._load(self._place + 1)
        return rows[0] if rows else None

    def fetchall(self) -> list[Any]:
        """Give the rows that are left as tuples."""
        return self._load(self._result.ntuples)

    def _load(self, end: int) -> list[Any]:
        first, self._place = self._place, min(end, self._result.ntuples)
        if first >= self._place:
            return []
        self._reader.set_pgresult(self._result)
        return self._reader.load_rows(first, self._place, tuple)


class Wire:
    """One connection; only one thread may be in it at a time. Without `prepares` nothing is kept at the server."""

    def __init__(self, connection: psycopg.Connection[Any], *, prepares: bool = True) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._reader = psycopg.adapt.Transformer(connection)
        self._prepares = prepares
        self._used: dict[_Key, int] = {}
        self._names: dict[_Key, bytes] = {}
        self._making: dict[_Key, bytes] = {}
        """What the trip under way is to prepare."""
        self._number = 0
        self._unread = False
        """Whether the answer to what `send` sent has not been read yet."""
        self._answers = select.poll()
        self._answers.register(self._pgconn.socket, select.POLLIN)

    def run(self, statements: Sequence[Statement]) -> list[Reply]:
        """Run statements in their order, in one trip. Raises the first `psycopg.Error` that comes of them."""
        given = [(sql, as_given(values)) for sql, values in statements]
        try:
            self._read_over()
            results = [self._run_one(*given[0])] if len(given) == 1 else self._run_together(given)
            for result in results:
                if result.status == pq.ExecStatus.FATAL_ERROR:
                    raise _error(result)
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:  # it is libpq's own: lost
                self._connection.close()
            raise
        finally:
            self._making.clear()
        return [Reply(result, self._reader) for result in results]

    def send(self, sql: str) -> None:
        """Run one statement whose answer nobody waits for. Raises `psycopg.Error` where it cannot be sent."""
        self._read_over()
        self._pgconn.send_query(sql.encode())
        self._unread = True
        self._flush()

    def _read_over(self) -> None:
        """Read the answer to what nobody waited for: nothing else can be sent before."""
        while self._unread:
            while self._pgconn.is_busy():
                self._answers.poll()
                self._consume(())
            self._unread = self._pgconn.get_result() is not None

    def _run_one(self, sql: str, given: Given) -> PGresult:
        name, is_new = self._name(sql, given.types)
        if is_new:
            answer = self._pgconn.prepare(name, sql.encode(), given.types)
            if failed := self._prepared((sql, given.types), answer):
                return failed
        if not name:
            return self._pgconn.exec_params(sql.encode(), given.values, given.types, given.formats, BINARY)
        return self._pgconn.exec_prepared(name, given.values, given.formats, BINARY)  # type: ignore[arg-type]  # None is NULL

    def _prepared(self, key: _Key, result: PGresult) -> PGresult | None:
        """Remember what the server prepared, whatever becomes of the trip; give the result where it would not."""
        if result.status == pq.ExecStatus.COMMAND_OK:
            self._names[key] = self._making[key]
        return result if result.status == pq.ExecStatus.FATAL_ERROR else None

    def _run_together(self, statements: Sequence[tuple[str, Given]]) -> list[PGresult]:
        self._pgconn.enter_pipeline_mode()
        preparing = [self._send(sql, given) for sql, given in statements]
        self._pgconn.pipeline_sync()
        self._flush()
        arrived = iter(self._arrived())
        results: list[PGresult] = []
        for is_new, (sql, given) in zip(preparing, statements, strict=True):
            failed = self._prepared((sql, given.types), next(arrived)) if is_new else None
            following = next(arrived)
            results.append(failed or following)
        self._pgconn.exit_pipeline_mode()
        return results

    def _send(self, sql: str, given: Given) -> bool:
        """Queue a statement; say whether what prepares it goes before it."""
        name, is_new = self._name(sql, given.types)
        if is_new:
            self._pgconn.send_prepare(name, sql.encode(), given.types)
        if name:
            self._pgconn.send_query_prepared(name, given.values, given.formats, BINARY)
        else:
            self._pgconn.send_query_params(sql.encode(), given.values, given.types, given.formats, BINARY)
        return is_new

    def _name(self, sql: str, types: tuple[int, ...]) -> tuple[bytes, bool]:
        """Name the prepared statement, empty where there is to be none, and say whether it must be made."""
        key = (sql, types)
        if name := self._names.get(key) or self._making.get(key):
            return name, False
        if not self._prepares:
            return b"", False
        self._used[key] = used = self._used.get(key, 0) + 1
        if used < PREPARED_FROM or len(self._names) + len(self._making) >= PREPARED_MOST:
            return b"", False
        self._number += 1
        self._making[key] = name = b"reelbus_%d" % self._number
        return name, True

    def _flush(self) -> None:
        """Hand all to the network, and take what comes meanwhile: the server may wait for that before it reads on."""
        if not self._pgconn.flush():
            return
        both = select.poll()
        both.register(self._pgconn.socket, select.POLLIN | select.POLLOUT)
        while self._pgconn.flush():
            both.poll()
            self._pgconn.consume_input()

    def _arrived(self) -> list[PGresult]:
        results: list[PGresult] = []
        silent = 0
        while True:
            while self._pgconn.is_busy():
                self._answers.poll()
                self._consume(results)
            result = self._pgconn.get_result()
            if result is None:
                silent += 1
                if silent >= _NOTHING_MORE or self._pgconn.status == pq.ConnStatus.BAD:
                    raise _lost(results)
                continue
            silent = 0
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)

    def _consume(self, results: Sequence[PGresult]) -> None:
        try:
            self._pgconn.consume_input()
        except psycopg.OperationalError as error:
            raise _lost(results) from error


def _lost(results: Sequence[PGresult]) -> psycopg.OperationalError:
    said = next((result.error_message for result in results if result.status == pq.ExecStatus.FATAL_ERROR), b"")
    return psycopg.OperationalError(said.decode(errors="replace").strip() or "the connection is lost")


def _error(result: PGresult) -> psycopg.Error:
    state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message).decode(errors="replace")
    try:
        kind = psycopg.errors.lookup(state)
    except KeyError:
        kind = psycopg.DatabaseError if state else psycopg.OperationalError
    return kind(message.strip(), info=result)
