"""Query plans: no statement costs more the longer the service has lived.

Statements are collected by running them: the simulated histories, and `catalogue.py` for the rest.
"""

import pytest

from tests.simulation.histories import run
from tests.simulation.world import connection
from tests.store.catalogue import CALLS
from tests.store.plans import Recorded, calls_of_statements, faults, functions_of_tables, is_ours, recording
from tests.support.stores import in_memory, transact

SEEDS = 40


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """Run everything, and give what was run."""
    with recording() as recorded:
        for seed in range(SEEDS):
            run(seed)
        for call in CALLS:
            transact(connection(), call)
    return recorded


def test_every_statement_was_run(recorded: Recorded) -> None:
    missed = [
        f"{path}:{call.lineno}"
        for path, call in calls_of_statements()
        if not any((path, line) in recorded.lines for line in range(call.lineno, (call.end_lineno or call.lineno) + 1))
    ]
    assert not missed, f"call these in tests/store/catalogue.py, so that their plans are looked at: {missed}"


def test_every_function_over_tables_was_called(recorded: Recorded) -> None:
    missed = [
        f"{path}:{function.lineno} {function.name}"
        for path, function in functions_of_tables()
        if (path, function.name) not in recorded.functions
    ]
    assert not missed, f"call these in tests/store/catalogue.py, so that their plans are looked at: {missed}"


def test_no_statement_reads_what_grows(recorded: Recorded) -> None:
    fresh = in_memory()
    slow = {
        f"{place}: {' '.join(sql.split())}": found
        for sql, (place, parameters) in recorded.statements.items()
        if is_ours(place) and (found := faults(fresh, sql, parameters))
    }
    told = "\n".join(f"{statement}\n    {fault}" for statement, found in slow.items() for fault in found)
    assert not slow, f"give these an index, or rewrite them (see tests/store/plans.py):\n{told}"


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT * FROM videos WHERE completed_at < 1", "SCAN videos"),
        ("DELETE FROM history WHERE what = 'x'", "SCAN history"),
        ("SELECT * FROM videos WHERE state = 'ready' ORDER BY updated_at LIMIT 1", "sorts all"),
        ("SELECT * FROM videos ORDER BY id DESC LIMIT 20", None),
        ("SELECT * FROM webhooks WHERE handled_at IS NULL ORDER BY id LIMIT 20", None),
        ("SELECT * FROM providers", None),
    ],
)
def test_a_plan_that_grows_is_told_from_one_that_does_not(sql: str, fault: str | None) -> None:
    found = faults(in_memory(), sql, ())
    assert (fault is None) is (found == [])
    assert fault is None or any(fault in line for line in found)
