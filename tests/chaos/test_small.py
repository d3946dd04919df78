"""A service that everything happens to at once loses nothing, doubles nothing, and pays for nothing twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.__main__ import SMALL, carry_out
from tests.chaos.database import DATABASE_KINDS
from tests.chaos.edges import EDGES
from tests.chaos.faults import KINDS
from tests.chaos.report import summary, table
from tests.chaos.run import Plan, schedule


@pytest.mark.timeout(400)
def test_a_short_run_of_every_sort_of_fault_breaks_nothing(tmp_path: Path) -> None:
    story = carry_out(SMALL, tmp_path)
    assert story.verdict.sound, "\n".join([table(story), *summary(story)])
    assert story.jobs >= SMALL.jobs
    assert all(made.recovered is not None for made in story.made), table(story)


@pytest.mark.timeout(400)
def test_a_database_that_fails_over_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    plan = replace(SMALL, jobs=30, faults=2, store="postgresql", only="failover")
    story = carry_out(plan, tmp_path)
    assert story.verdict.sound, "\n".join([table(story), *summary(story)])
    assert len(story.resumed) == 2
    assert all(made.recovered is not None for made in story.made), table(story)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_whole_run_over_a_database_makes_every_kind_of_its_faults(seed: int) -> None:
    plan = Plan(seed, jobs=2000, faults=60, scale=1.0, job_timeout=40, store="postgresql")
    made = {kind.name for step in schedule(plan) for kind in step}
    assert {kind.name for kind in DATABASE_KINDS} <= made
    assert not {kind.name for kind in [*KINDS, *EDGES] if kind.hurts == "store"} & made


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_whole_run_makes_every_kind_of_fault(seed: int) -> None:
    plan = Plan(seed, jobs=2000, faults=60, scale=1.0, job_timeout=40)
    made = [kind for step in schedule(plan) for kind in step]
    assert len(made) == 60
    assert {kind.name for kind in made} == {kind.name for kind in [*KINDS, *EDGES]}


def test_the_same_seed_makes_the_same_faults_in_the_same_order() -> None:
    assert schedule(SMALL) == schedule(SMALL)
    assert schedule(SMALL) != schedule(Plan(SMALL.seed + 1, 150, SMALL.faults, 0.25, 15))
