"""Whatever a process missed of the steps of its clock: what it decides is decided by times that fit its clock."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

import process.clock
from jobs import clock as clock_rules
from jobs import outage, overdue, submission_claims, submit, unconfirmed
from process.clock import Clock, ClockWatch
from providers.reports import NotAcceptedYet
from store import pauses
from store.database import StoreUnavailable
from tests.support.job_scenario import GENERATOR, POLLER, JobScenario

HOUR = 3600.0


class Wall:
    """A wall clock that is put, and a steady one."""

    def __init__(self, desk: JobScenario) -> None:
        self.desk = desk
        self.even = 5.0

    def pass_by(self, seconds: float) -> None:
        self.even += seconds
        self.desk.now += seconds

    def put(self, seconds: float) -> None:
        self.desk.now += seconds

    def watch(self, write: Callable[..., Awaitable[None]] | None = None) -> ClockWatch:
        """Have one more process watch the clock."""
        clock = Clock(lambda: self.desk.now, lambda: self.even)
        return ClockWatch(write or self.write, clock_rules.mend, clock)

    async def write(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.desk.do(work, *args, **kwargs)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.clock, "machine", lambda: "machine")


@pytest.fixture
def wall(desk: JobScenario) -> Wall:
    return Wall(desk)


async def _missed(wall: Wall, steps: tuple[float, float]) -> ClockWatch:
    """Give the watch of a process that saw neither of two steps, of which another process mended the first."""
    one, other = wall.watch(), wall.watch()
    await one.compare()
    await other.compare()
    wall.put(steps[0])
    await other.mend()
    wall.put(steps[1])
    return one


BOTH_WAYS = pytest.mark.parametrize("steps", [(-HOUR, HOUR), (HOUR, -HOUR), (-HOUR, 2 * HOUR)])


@BOTH_WAYS
async def test_nothing_that_waits_for_a_provider_is_given_up(
    desk: JobScenario, wall: Wall, steps: tuple[float, float]
) -> None:
    attempt = desk.routed()
    desk.do(pauses.begin, attempt.provider, caller="ops", now=desk.now)
    wall.pass_by(60)
    one = await _missed(wall, steps)
    assert await one.decide(wall.write, outage.sort_out, desk.policy, {}) == 0


@BOTH_WAYS
async def test_what_was_turned_away_is_tried_again(desk: JobScenario, wall: Wall, steps: tuple[float, float]) -> None:
    attempt, answer = desk.sending(), NotAcceptedYet("503")
    desk.do(submit.not_accepted, desk.policy, attempt, answer, owner=GENERATOR, now=desk.now)
    wall.pass_by(5)
    claim = partial(submission_claims.claim, owner=GENERATOR, room=1, now=desk.now)
    [(again, _)] = desk.do(claim, desk.policy, attempt.provider).work
    assert desk.do(submit.send, again.id, owner=GENERATOR, now=desk.now)
    one = await _missed(wall, steps)
    await one.decide(wall.write, submit.not_accepted, desk.policy, again, answer, owner=GENERATOR)
    assert desk.told(attempt) == []


@BOTH_WAYS
async def test_nothing_is_timed_out(desk: JobScenario, wall: Wall, steps: tuple[float, float]) -> None:
    attempt = desk.generating()
    wall.pass_by(1)
    one = await _missed(wall, steps)
    assert await one.decide(wall.write, overdue.give_up, desk.policy, [attempt.id]) == 0
    assert desk.told(attempt) == ["submitted"]


@BOTH_WAYS
async def test_a_lost_submission_keeps_its_time_for_a_proof(
    desk: JobScenario, wall: Wall, steps: tuple[float, float]
) -> None:
    attempt = desk.unconfirmed()
    one = await _missed(wall, steps)
    await one.decide(wall.write, unconfirmed.keep_waiting, desk.policy, attempt, owner=POLLER)
    assert desk.told(attempt) == []


async def test_a_step_under_a_transaction_that_waits_changes_no_age(desk: JobScenario, wall: Wall) -> None:
    attempt = desk.generating()
    one, other = wall.watch(), wall.watch()
    await one.compare()

    async def late(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        wall.put(-HOUR)
        await other.mend()
        return desk.do(work, *args, **kwargs)

    assert await one.decide(late, overdue.give_up, desk.policy, [attempt.id]) == 0
    await other.compare()
    assert desk.now - (desk.current(attempt).accepted_at or 0) == pytest.approx(0)


async def test_a_step_that_could_not_be_mended_is_mended_the_next_time(desk: JobScenario, wall: Wall) -> None:
    attempt = desk.generating()
    away = False

    async def write(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if away:
            raise StoreUnavailable("the disk is full")
        return desk.do(work, *args, **kwargs)

    one = wall.watch(write)
    await one.mend()
    wall.put(HOUR)
    away = True
    with pytest.raises(StoreUnavailable):
        await one.mend()
    away = False
    await one.mend()
    assert desk.current(attempt).accepted_at == desk.now


async def test_where_nothing_happened_the_store_is_left_alone(desk: JobScenario, wall: Wall) -> None:
    writes = 0

    async def write(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal writes
        writes += 1
        return desk.do(work, *args, **kwargs)

    one = wall.watch(write)
    for _ in range(3):
        await one.mend()
        wall.pass_by(600)
    assert writes == 1


def test_a_clock_tells_steps_from_the_passing_of_time() -> None:
    wall, even = [1000.0], [5.0]
    clock = Clock(lambda: wall[0], lambda: even[0])

    def passes(seconds: float, step: float = 0.0) -> float:
        even[0] += seconds
        wall[0] += seconds + step
        seen = clock.measure()
        if seen.step:
            clock.ahead = seen.ahead
        return seen.step

    assert passes(86_400) == 0
    assert passes(10, step=3600) == 3600
    assert passes(10, step=1) == 0
    assert passes(10, step=-3600) == pytest.approx(-3599)


def test_a_process_that_is_suspended_between_two_clocks_sees_no_step() -> None:
    readings = iter((100.0, 100.0, 700.0))
    clock = Clock(lambda: 1000.0, lambda: next(readings, 700.0))
    clock.ahead = 300.0
    assert clock.measure().step == 0
