"""Every end that a check finds is learnt, by all pollers together, and for good."""

from pathlib import Path

import pytest

from jobs import decide, learning, schedule
from jobs.durations import EDGES, Plan
from jobs.learning import Observation
from providers.reports import Report, Unavailable, Working
from schemas.names import Provider
from store.database import Store
from store.transaction import Tx
from tests.support.job_scenario import FAILED, READY, START, JobScenario

HOMEDESIGNS, IACREA = Provider("homedesigns"), Provider("iacrea")


@pytest.fixture
def desk() -> JobScenario:
    return JobScenario()


def taught(desk: JobScenario, seconds: float, jobs: int = 20) -> Plan:
    for _ in range(jobs):
        desk.do(learning.learn, [Observation(HOMEDESIGNS, seconds - 1, seconds + 1)])
    return desk.do(learning.plan, HOMEDESIGNS)


@pytest.mark.parametrize("report", [READY, FAILED])
def test_an_end_is_placed_between_the_last_check_and_the_one_that_found_it(desk: JobScenario, report: Report) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.checked(attempt, Working())
    unfinished_at = desk.now - START
    desk.checked(attempt, report)

    assert desk.do(learning.plan, HOMEDESIGNS) == _rounded(Plan().seen(unfinished_at, desk.now - START))


def test_a_webhook_tells_the_time_of_the_end_however_late_its_check_is(desk: JobScenario) -> None:
    attempt = desk.generating(IACREA)
    desk.now += 40
    desk.webhook(attempt)
    claimed = desk.wait_until_due(attempt)
    desk.now += 25
    desk.learn(claimed, READY)

    assert desk.do(learning.plan, IACREA) == _rounded(Plan().seen(40, 40))


def test_a_job_that_is_given_up_counts_as_one_that_never_ends(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    while desk.current(attempt).state == "generating":
        desk.checked(attempt, Working())

    weights = desk.do(learning.plan, HOMEDESIGNS).weights
    assert sum(weights) == pytest.approx(1, abs=0.01)
    assert sum(weight for weight, end in zip(weights, EDGES[1:], strict=True) if end < 800) == 0


@pytest.mark.parametrize("report", [Working(), Unavailable("503")])
def test_what_ends_nothing_teaches_nothing(desk: JobScenario, report: Report) -> None:
    desk.checked(desk.generating(HOMEDESIGNS), report)
    assert desk.do(learning.plan, HOMEDESIGNS) == Plan()


def test_whoever_settles_second_teaches_nothing(desk: JobScenario) -> None:
    claimed = desk.wait_until_due(desk.generating(HOMEDESIGNS))
    desk.learn(claimed, READY)
    learnt = desk.do(learning.plan, HOMEDESIGNS)
    desk.learn(claimed, READY, owner="another")
    assert desk.do(learning.plan, HOMEDESIGNS) == learnt


def test_the_first_check_comes_where_ends_begin(desk: JobScenario) -> None:
    desk.under(poll_max=60)
    taught(desk, 50)
    attempt = desk.generating(HOMEDESIGNS)
    assert 35 < (desk.current(attempt).due_at or 0) - desk.now < 50


def test_the_next_check_comes_where_ends_are_likely(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    plan = taught(desk, 50)
    early, late = (
        schedule.next_check(attempt, desk.policy, now=START + age, plan=plan) - START - age for age in (20, 49)
    )
    assert early > 15
    assert late == desk.policy.poll_min


def test_after_a_webhook_that_came_too_early_the_gaps_grow_from_the_shortest(desk: JobScenario) -> None:
    attempt = desk.generating(IACREA)
    desk.now += 10
    desk.webhook(attempt)
    desk.checked(attempt, Working())
    assert (desk.current(attempt).due_at or 0) - desk.now == desk.policy.poll_min


def test_iacrea_is_first_asked_after_the_grace_of_its_webhook_whatever_was_learnt(desk: JobScenario) -> None:
    for _ in range(20):
        desk.do(learning.learn, [Observation(IACREA, 49, 51)])
    attempt = desk.generating(IACREA)
    assert desk.current(attempt).due_at == desk.now + desk.policy.webhook_grace


async def test_what_one_process_learns_another_knows_and_a_restart_keeps(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'reelbus.db'}"
    one, other = await Store.open(url), await Store.open(url)
    for place in (one, other, one, other):
        await place.write(_learn_fifty)
    assert (await one.read(learning.plan, HOMEDESIGNS)).learnt
    await one.close()
    await other.close()

    again = await Store.open(url)
    plan = await again.read(learning.plan, HOMEDESIGNS)
    await again.close()
    assert sum(plan.weights) > 3.8


def _learn_fifty(tx: Tx) -> None:
    learning.learn(tx, [Observation(HOMEDESIGNS, 48, 52)])


def test_the_decision_is_the_learnt_plans(desk: JobScenario) -> None:
    desk.under(poll_max=60)
    attempt = desk.generating(HOMEDESIGNS)
    plan = taught(desk, 50)
    decision = decide.decide(attempt, Working(), desk.policy, now=START, plan=plan)
    assert isinstance(decision, decide.CheckAgain)
    assert decision.due_at - START > 33


def _rounded(plan: Plan) -> Plan:
    return Plan.loads(plan.dumps())
