"""A plan turns any history into a sane gap, and what it learnt outlives its storing."""

import math
from base64 import b64decode, b64encode
from itertools import pairwise
from struct import Struct

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.durations import EDGES, Plan

ages = st.floats(0, 40_000)
prices = st.floats(0.01, 100)
intervals = st.tuples(ages, st.floats(0, 5000) | st.just(math.inf)).map(lambda pair: (pair[0], pair[0] + pair[1]))
histories = st.lists(intervals, max_size=30)


def learnt_from(history: list[tuple[float, float]]) -> Plan:
    plan = Plan()
    for unfinished_at, finished_at in history:
        plan = plan.seen(unfinished_at, finished_at)
    return plan


@given(histories, ages, prices, st.floats(0.1, 600))
@settings(deadline=None)
def test_a_gap_is_above_nothing_and_at_most_the_longest(
    history: list[tuple[float, float]], age: float, price: float, longest: float
) -> None:
    assert 0 < learnt_from(history).gap(age, price=price, longest=longest) <= longest


@given(histories)
@settings(deadline=None)
def test_each_completion_weighs_one_and_older_ones_a_little_less(history: list[tuple[float, float]]) -> None:
    plan = learnt_from(history)
    assert all(weight >= 0 for weight in plan.weights)
    assert sum(plan.seen(50, 55).weights) <= sum(plan.weights) + 1 + 1e-9
    assert plan.learnt == (sum(plan.weights) >= 3)


@given(histories)
@settings(deadline=None)
def test_a_stored_plan_is_read_as_it_was(history: list[tuple[float, float]]) -> None:
    plan = learnt_from(history)
    read = Plan.loads(plan.dumps())
    assert all(math.isclose(a, b, abs_tol=1e-5) for a, b in zip(plan.weights, read.weights, strict=True))


def test_a_plan_with_other_bins_counts_as_nothing_learnt() -> None:
    learnt = learnt_from([(58, 62)] * 50)
    fewer = b64encode(b64decode(learnt.dumps())[:-4]).decode()
    wider = b64encode(Struct("<f").pack(1.5) + b64decode(learnt.dumps())[4:]).decode()
    assert Plan.loads(fewer) == Plan.loads(wider) == Plan()


def test_the_bounds_of_the_bins_ascend_from_nothing_to_hours() -> None:
    assert EDGES[0] == 0
    assert all(low < high for low, high in pairwise(EDGES))
    assert EDGES[-1] > 6 * 3600


def test_checks_crowd_where_ends_were_seen() -> None:
    plan = learnt_from([(58, 62)] * 50)
    assert plan.gap(0, price=0.5, longest=100) > 40
    assert plan.gap(58, price=0.5, longest=100) < 4


def test_jobs_that_outlive_all_others_are_hardly_ever_checked() -> None:
    plan = learnt_from([(50, 55)] * 90 + [(900, math.inf)] * 10)
    assert plan.gap(50, price=0.5, longest=100) < 4
    assert plan.gap(100, price=0.5, longest=100) == 100


def test_a_dearer_check_is_made_less_often() -> None:
    plan = learnt_from([(40, 70)] * 30)
    assert plan.gap(50, price=4.0, longest=100) > plan.gap(50, price=0.5, longest=100)
