"""Query plans over PostgreSQL, with its statistics of a long-lived store: no statement reads a large part of a table.

Unlike SQLite, PostgreSQL chooses by how many rows it supposes; a good index alone is not enough.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql as composed

from bench.history_postgres import seed
from store.postgres_pipeline import translated_sql
from tests.simulation.histories import run
from tests.simulation.world import connection
from tests.store.catalogue import CALLS, NOW
from tests.store.plans import Recorded, is_ours, recording
from tests.support.postgres import Postgres
from tests.support.stores import transact

VIDEOS = 60_000
HISTORIES = 10
GROWN = {"videos", "attempts", "outbox", "credits"}


@pytest.fixture(scope="module")
def grown(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """Give a connection to a store with many finished videos."""
    url = postgres.new(migrated=True)
    seed(url, VIDEOS, now=NOW)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("SET plan_cache_mode = force_custom_plan")
        yield connection


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """Give every statement that the catalogue calls, and those of some simulated histories."""
    with recording() as recorded:
        for seed_of_history in range(HISTORIES):
            run(seed_of_history)
        for call in CALLS:
            transact(connection(), call)
    return recorded


def much_read_of(connection: psycopg.Connection, statement: str, parameters: Any) -> set[str]:
    """Name the grown tables that PostgreSQL would read as a whole, or a large part of."""
    written, names = translated_sql(statement)
    values = [parameters[name] for name in names] if isinstance(parameters, Mapping) else list(parameters or [])
    values += [None] * (len(names) - len(values))
    types = ", ".join(map(_type, values))
    connection.execute(b"DEALLOCATE ALL")
    connection.execute(f"PREPARE one{f' ({types})' if types else ''} AS {written}".encode())
    given = composed.SQL(", ").join(map(composed.Literal, values))
    execute = composed.SQL("EXECUTE one({})").format(given) if values else composed.SQL("EXECUTE one")
    row = connection.execute(composed.SQL("EXPLAIN (FORMAT JSON) ") + execute).fetchone()
    assert row is not None
    return {table for table in _read(row[0][0]["Plan"], stops_early=False) if table in GROWN}


def _at_the_end(statement: str, parameters: Any) -> Any:
    """Ask of the ledger what came after its sums; the catalogue asks from its beginning."""
    if "FROM credits" in statement and "seq > ?" in statement:
        provider, _, *more = parameters
        return (provider, VIDEOS - 100, *more)
    return parameters


def _type(value: object) -> str:
    if isinstance(value, int):
        return "integer" if abs(value) < 2**31 else "bigint"
    return "double precision" if isinstance(value, float) else "unknown"


def _read(node: dict[str, Any], *, stops_early: bool) -> Iterator[str]:
    """Name the tables of which much is read: all, or more than a tenth unless it stops when it has enough."""
    kind = node["Node Type"]
    stops_early = kind == "Limit" or (stops_early and kind not in {"Sort", "Aggregate", "Hash", "Materialize"})
    much = kind == "Seq Scan" or (node["Plan Rows"] > VIDEOS / 10 and not stops_early)
    if much and "Relation Name" in node:
        yield node["Relation Name"]
    for part in node.get("Plans", []):
        yield from _read(part, stops_early=stops_early)


def test_no_statement_reads_much_of_a_grown_table(recorded: Recorded, grown: psycopg.Connection) -> None:
    slow = {
        f"{place}: {' '.join(statement.split())}": found
        for statement, (place, parameters) in recorded.statements.items()
        if is_ours(place) and (found := much_read_of(grown, statement, _at_the_end(statement, parameters)))
    }
    told = "\n".join(f"{statement}\n    reads much of {found}" for statement, found in slow.items())
    assert not slow, f"PostgreSQL supposes that most rows fit; bound these on both sides, or rewrite them:\n{told}"


def test_a_bound_on_one_side_alone_is_told(grown: psycopg.Connection) -> None:
    one_side = (
        "SELECT at FROM credits WHERE provider = ? AND remaining IS NOT NULL AND sent_at <="
        " (SELECT at FROM credits WHERE provider = ? AND remaining IS NOT NULL ORDER BY at LIMIT 1)"
    )
    assert much_read_of(grown, one_side, ("iacrea", "iacrea")) == {"credits"}
