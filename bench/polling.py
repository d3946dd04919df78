"""A simulator of polling: jobs of known durations, checked by a plan, by fixed intervals, or by one who knows all.

Goal 12: at 8 checks a job, how late is the end of a job found on average? Every planner meets the same jobs.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Protocol

from jobs.durations import Plan

CHECKS = 8.0
JOBS = 1500
WARMING_UP = 200
"""The first jobs of a run, from which planners learn but which are not counted."""

GIVEN_UP = 900.0
SHORTEST = 0.5
LONGEST = 60.0
GRID = 0.5
"""Seconds between the instants at which the one who knows all may check."""

Draw = Callable[[random.Random], float]


def lognormal(median: float, sigma: float) -> Draw:
    """Draw durations whose logarithm is normal."""
    return lambda chance: math.exp(chance.gauss(math.log(median), sigma))


def _bimodal(chance: random.Random) -> float:
    return lognormal(30, 0.2)(chance) if chance.random() < 0.6 else lognormal(120, 0.2)(chance)


def _stuck(chance: random.Random) -> float:
    return 5000.0 if chance.random() < 0.02 else lognormal(55, 0.35)(chance)


def _shifted(chance: random.Random) -> float:
    return 40 + chance.expovariate(1 / 15)


WORLDS: dict[str, tuple[Draw, ...]] = {
    "lognormal": (lognormal(55, 0.35),),
    "bimodal": (_bimodal,),
    "2 % stuck": (_stuck,),
    "shifted minimum": (_shifted,),
    "threefold drift": (lognormal(55, 0.35), lognormal(165, 0.35)),
}
"""Kinds of durations, in seconds; where there are two, the second begins half-way."""


def durations(world: str, seed: int, jobs: int = JOBS) -> list[float]:
    """Draw the durations of a run."""
    chance = random.Random(seed)  # noqa: S311 - a simulation must be repeatable
    phases = WORLDS[world]
    return [phases[job * len(phases) // jobs](chance) for job in range(jobs)]


class Planner(Protocol):
    """Who says when to check next."""

    def gap(self, age: float) -> float:
        """Say how many seconds after `age` to check."""

    def learn(self, unfinished_at: float, finished_at: float) -> None:
        """Be told how a job went, `finished_at` being `inf` where it was given up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run cost: seconds from an end to its discovery, and checks for each job, both on average."""

    delay: float
    checks: float


def simulate(jobs: Sequence[float], planner: Planner, *, skipped: int = WARMING_UP) -> Outcome:
    """Check every job until its end is found or it is given up."""
    delays: list[float] = []
    checks = 0
    for number, duration in enumerate(jobs):
        age, unfinished_at, looks = 0.0, 0.0, 0
        while age < duration and age <= GIVEN_UP:
            unfinished_at = age
            age += min(max(planner.gap(age), SHORTEST), LONGEST)
            looks += 1
        found = age >= duration
        planner.learn(unfinished_at, age if found else math.inf)
        if number >= skipped:
            checks += looks
            if found:
                delays.append(age - duration)
    return Outcome(sum(delays) / len(delays), checks / (len(jobs) - skipped))


class Learning:
    """The service's own way: growing gaps until enough is learnt, then the learnt plan."""

    def __init__(self, price: float) -> None:
        self.plan = Plan()
        self._price = price

    def gap(self, age: float) -> float:
        """Plan as the service does, without its jitter."""
        if not self.plan.learnt:
            return max(age / 5, 2.0)
        return self.plan.gap(age, price=self._price, longest=LONGEST)

    def learn(self, unfinished_at: float, finished_at: float) -> None:
        """Learn from an interval."""
        self.plan = self.plan.seen(unfinished_at, finished_at)


class Knowing:
    """Plans by dynamic programming over the true distribution, and knows when it changes."""

    def __init__(self, world: str, price: float, jobs: int = JOBS) -> None:
        self._plans = [_best_checks(world, phase, price) for phase in range(len(WORLDS[world]))]
        self._jobs = jobs
        self._done = 0

    def gap(self, age: float) -> float:
        """Look up the best next check."""
        following = self._plans[min(self._done * len(self._plans) // self._jobs, len(self._plans) - 1)]
        return following[min(round(age / GRID), len(following) - 2)] * GRID - age

    def learn(self, unfinished_at: float, finished_at: float) -> None:  # noqa: ARG002 - it knows already
        """Count, so that the change is known."""
        self._done += 1


@cache
def _ends(world: str, phase: int) -> tuple[list[float], list[float]]:
    """Give for each instant the share of jobs that ended by then, and the sum of their durations."""
    chance = random.Random(99)  # noqa: S311 - as above
    drawn = sorted(WORLDS[world][phase](chance) for _ in range(40_000))
    sums = [0.0, *accumulate(drawn)]
    counts = [bisect_right(drawn, step * GRID) for step in range(int(GIVEN_UP / GRID) + 1)]
    return [count / len(drawn) for count in counts], [sums[count] / len(drawn) for count in counts]


def _best_checks(world: str, phase: int, price: float) -> list[int]:
    """Give for each instant of the grid the best instant for the check after it."""
    ended, summed = _ends(world, phase)
    last = len(ended) - 1
    cost = [0.0] * (last + 1)
    best = [last] * (last + 1)
    for at in range(last - 1, -1, -1):
        cheapest = math.inf
        for then in range(at + 1, min(last, at + int(LONGEST / GRID)) + 1):
            rest = (ended[then] - ended[at]) * then * GRID - summed[then] + cost[then]
            if rest < cheapest:
                cheapest, best[at] = rest, then
        cost[at] = cheapest + summed[at] + price * (1 - ended[at])
    return best


def fixed(jobs: Sequence[float], interval: float, *, skipped: int = WARMING_UP) -> Outcome:
    """Check every `interval` seconds."""
    counted = jobs[skipped:]
    looks = [min(math.ceil(duration / interval), math.floor(GIVEN_UP / interval) + 1) for duration in counted]
    delays = [
        look * interval - duration for look, duration in zip(looks, counted, strict=True) if look * interval >= duration
    ]
    return Outcome(sum(delays) / len(delays), sum(looks) / len(looks))


def best_fixed(jobs: Sequence[float]) -> float:
    """Give the delay of the fixed interval that makes 8 checks a job."""
    short, long = SHORTEST, 300.0
    while long - short > 0.01:
        middle = (short + long) / 2
        if fixed(jobs, middle).checks > CHECKS:
            short = middle
        else:
            long = middle
    return fixed(jobs, long).delay


_AROUND = (0.8, 0.9, 1.0, 1.1, 1.25)


def delay_at_checks(outcome: Callable[[float], Outcome]) -> float:
    """Give the delay at 8 checks a job of a planner that is made for a price.

    Both go nearly as powers of the price: the price is found by steps, and the delay read off a line through
    the logarithms of some runs around it, which evens out their noise.
    """
    price = 0.5
    for _ in range(3):
        price *= (outcome(price).checks / CHECKS) ** 1.6
    runs = [outcome(price * factor) for factor in _AROUND]
    checks = [math.log(run.checks / CHECKS) for run in runs]
    delays = [math.log(run.delay) for run in runs]
    mean_checks, mean_delay = sum(checks) / len(runs), sum(delays) / len(runs)
    slope = sum((x - mean_checks) * (y - mean_delay) for x, y in zip(checks, delays, strict=True)) / sum(
        (x - mean_checks) ** 2 for x in checks
    )
    return math.exp(mean_delay - slope * mean_checks)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Mean delays in seconds at 8 checks a job."""

    fixed: float
    learning: float
    knowing: float


def compare(world: str, seed: int) -> Verdict:
    """Plan the same jobs by all three."""
    jobs = durations(world, seed)
    return Verdict(
        best_fixed(jobs),
        delay_at_checks(lambda price: simulate(jobs, Learning(price))),
        delay_at_checks(lambda price: simulate(jobs, Knowing(world, price))),
    )
