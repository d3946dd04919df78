"""Simulated with the same jobs, the plan beats every fixed interval and comes near to the one who knows all."""

from itertools import pairwise

import pytest

from bench.polling import GIVEN_UP, WORLDS, Knowing, Learning, Outcome, compare, durations, fixed, simulate
from jobs.durations import Plan


@pytest.mark.parametrize("world", WORLDS)
def test_ends_are_found_sooner_for_the_same_number_of_checks(world: str) -> None:
    verdict = compare(world, seed=1)
    assert verdict.fixed / verdict.learning >= 1.3
    assert verdict.learning / verdict.knowing <= 1.20


FASTER, SLOWER = (165.0, 55.0), (55.0, 165.0)


@pytest.mark.parametrize(("before", "after"), [FASTER, SLOWER])
def test_a_change_of_pace_is_followed_within_fifty_completions(before: float, after: float) -> None:
    """What a job costs, in delay and checks, is then at most a quarter above what it costs in the long run."""
    price, changed = 0.5, 400
    slow_or_fast = [duration * before / 55 for duration in durations("lognormal", 3, changed)]
    jobs = slow_or_fast + [duration * after / 55 for duration in durations("lognormal", 4, 1600)]

    def cost(first: int, last: int) -> float:
        outcome = simulate(jobs[:last], Learning(price), skipped=first)
        return outcome.delay + price * outcome.checks

    settled = cost(changed + 600, changed + 1600)
    assert cost(changed + 50, changed + 150) <= 1.25 * settled
    assert cost(changed, changed + 50) <= 2 * settled


def test_the_simulator_counts_checks_and_delays() -> None:
    assert simulate([10.0], _Every(4.0), skipped=0) == Outcome(delay=2.0, checks=3.0)
    assert fixed([10.0], 4.0, skipped=0) == Outcome(delay=2.0, checks=3.0)
    assert simulate([10.0, 2 * GIVEN_UP], _Every(50.0), skipped=0).checks == (1 + GIVEN_UP / 50 + 1) / 2


def test_the_one_who_knows_all_makes_fewer_checks_the_dearer_they_are() -> None:
    jobs = durations("lognormal", 1)
    cheap_to_dear = [simulate(jobs, Knowing("lognormal", price)).checks for price in (0.2, 0.5, 2.0)]
    assert all(cheaper > dearer for cheaper, dearer in pairwise(cheap_to_dear))


class _Every:
    def __init__(self, interval: float) -> None:
        self._interval = interval

    def gap(self, age: float) -> float:  # noqa: ARG002 - always the same
        return self._interval

    def learn(self, unfinished_at: float, finished_at: float) -> None:
        assert unfinished_at < finished_at


def test_a_first_job_is_checked_in_growing_gaps() -> None:
    planner = Learning(0.5)
    assert planner.plan == Plan()
    assert [planner.gap(age) for age in (0.0, 20.0, 100.0)] == [2.0, 4.0, 20.0]
