"""All processes draw on one budget of requests to a provider: a burst at the start, then the sustained rate."""

from hypothesis import given
from hypothesis import strategies as st

from jobs import budget, check_claims, submission_claims
from schemas.names import Provider, ProviderChoice
from store import providers
from tests.support.job_scenario import START, JobScenario

IACREA = Provider("iacrea")


def spend(desk: JobScenario, wanted: int) -> int:
    """Take as many requests as there are, up to what is wanted."""
    allowed = desk.do(budget.allowance, desk.policy, IACREA, now=desk.now)
    taken = min(wanted, allowed.requests)
    desk.do(budget.spend, IACREA, allowed, taken, now=desk.now)
    return taken


def test_a_full_burst_is_there_at_the_start_and_then_the_rate(desk: JobScenario) -> None:
    assert spend(desk, 100) == 20
    assert spend(desk, 100) == 0
    desk.now += 3
    assert spend(desk, 100) == 6


def test_an_unused_budget_grows_to_a_burst_and_no_further(desk: JobScenario) -> None:
    spend(desk, 100)
    desk.now += 3600
    assert spend(desk, 100) == 20


def test_it_says_when_one_more_may_be_asked(desk: JobScenario) -> None:
    spend(desk, 100)
    allowed = desk.do(budget.allowance, desk.policy, IACREA, now=desk.now)
    assert allowed == budget.Allowance(0, START + 0.5)
    desk.now = allowed.again_at
    assert spend(desk, 1) == 1


def test_the_slowest_budget_still_lets_one_through(desk: JobScenario) -> None:
    desk.under(rates={IACREA: 0.01})
    assert spend(desk, 5) == 1
    desk.now += 99
    assert spend(desk, 5) == 0
    desk.now += 1.1
    assert spend(desk, 5) == 1


def test_a_pause_stops_everybody_and_is_never_shortened(desk: JobScenario) -> None:
    spend(desk, 1)
    desk.do(providers.pause, IACREA, until=START + 60)
    desk.do(providers.pause, IACREA, until=START + 5)
    desk.now += 30
    assert desk.do(budget.allowance, desk.policy, IACREA, now=desk.now) == budget.Allowance(0, START + 60)
    desk.now += 30
    assert spend(desk, 1) == 1


@given(
    st.floats(0.05, 50),
    st.lists(st.tuples(st.floats(0, 30), st.integers(0, 100)), min_size=1, max_size=40),
)
def test_no_stretch_of_time_sees_more_than_a_burst_and_the_rate(rate: float, draws: list[tuple[float, int]]) -> None:
    desk = JobScenario().under(rates={IACREA: rate})
    taken = []
    for wait, wanted in draws:
        desk.now += wait
        taken.append((desk.now, spend(desk, wanted)))
    for place, (begin, _) in enumerate(taken):
        for end, _ in taken[place:]:
            total = sum(count for at, count in taken if begin <= at <= end)
            assert total <= max(rate * 10, 1) + (end - begin) * rate + 1e-6


def test_submissions_and_checks_of_any_process_draw_on_the_same_budget(desk: JobScenario) -> None:
    desk.under(rates={IACREA: 0.3, Provider("homedesigns"): 0.3})
    checked = desk.generating()
    waiting = [desk.routed() for _ in range(4)]
    desk.webhook(checked)

    found = desk.do(submission_claims.claim, desk.policy, IACREA, owner="generator-2", room=9, now=desk.now)
    assert len(found.work) == 1, "the other request is left for the check that is due"
    assert found.again_at is not None
    assert [row.id for row in desk.due()] == [checked.id]
    assert desk.do(submission_claims.claim, desk.policy, IACREA, owner="generator-3", room=9, now=desk.now).work == []
    assert len(waiting) == 4
    assert desk.do(check_claims.claim, desk.policy, Provider("homedesigns"), owner="p", room=9, now=desk.now).work == []


def test_no_more_is_claimed_than_there_is_room_for(desk: JobScenario) -> None:
    for _ in range(6):
        desk.routed()
    found = desk.do(submission_claims.claim, desk.policy, IACREA, owner="g", room=2, now=desk.now)
    assert len(found.work) == 2
    assert len(desk.do(submission_claims.claim, desk.policy, IACREA, owner="h", room=9, now=desk.now).work) == 4


def test_whoever_finds_nothing_is_told_when_the_next_is_due(desk: JobScenario) -> None:
    attempt = desk.generating()
    found = desk.do(check_claims.claim, desk.policy, IACREA, owner="p", room=9, now=desk.now)
    assert found == check_claims.Claim([], desk.current(attempt).due_at)


def test_a_clock_that_goes_back_stops_nobody_and_gives_nobody_more(desk: JobScenario) -> None:
    spend(desk, 15)
    desk.now -= 3600
    assert spend(desk, 100) == 5
    desk.now += 3
    assert spend(desk, 100) == 6


REPLICATE = Provider("replicate")


def test_submissions_have_a_budget_of_their_own_where_the_provider_limits_them_apart(desk: JobScenario) -> None:
    desk.under(rates={IACREA: 1.0, REPLICATE: 0.2}, submission_rates={REPLICATE: 0.3})
    checked = desk.generating(REPLICATE)
    for _ in range(4):
        desk.routed(choice=ProviderChoice(REPLICATE))
    desk.webhook(checked)

    found = desk.do(submission_claims.claim, desk.policy, REPLICATE, owner="generator-2", room=9, now=desk.now)
    assert len(found.work) == 2, "no request is left for the check, which has its own; one submission was sent before"
    again = desk.do(submission_claims.claim, desk.policy, REPLICATE, owner="generator-3", room=9, now=desk.now)
    assert (again.work, again.again_at) == ([], desk.now + 1 / 0.3)
    assert [row.id for row in desk.due(REPLICATE)] == [checked.id]

    desk.now += 3.4
    more = desk.do(submission_claims.claim, desk.policy, REPLICATE, owner="g", room=9, now=desk.now)
    assert len(more.work) == 1


def test_a_clock_that_goes_back_keeps_no_submissions_from_their_budget(desk: JobScenario) -> None:
    desk.under(submission_rates={REPLICATE: 1.0})
    for _ in range(10):
        desk.sending(REPLICATE)
    desk.now -= 3600
    assert desk.do(budget.allowance, desk.policy, REPLICATE, now=desk.now, submitting=True).requests == 0
    desk.now += 1.1
    assert desk.do(budget.allowance, desk.policy, REPLICATE, now=desk.now, submitting=True).requests == 1


def test_the_first_submission_leaves_the_budget_of_checks_full(desk: JobScenario) -> None:
    desk.under(rates={IACREA: 1.0, REPLICATE: 2.0}, submission_rates={REPLICATE: 1.0})
    desk.sending(REPLICATE)
    assert desk.do(budget.allowance, desk.policy, REPLICATE, now=desk.now).requests == 20
    assert desk.do(budget.allowance, desk.policy, REPLICATE, now=desk.now, submitting=True).requests == 9


def test_nothing_is_submitted_while_nobody_checks_even_with_a_budget_apart(desk: JobScenario) -> None:
    desk.under(submission_rates={REPLICATE: 5.0})
    checked = desk.generating(REPLICATE)
    desk.routed(choice=ProviderChoice(REPLICATE))
    due = desk.current(checked).due_at
    assert due is not None
    desk.now = due + desk.policy.poll_max + 11
    assert desk.do(submission_claims.claim, desk.policy, REPLICATE, owner="g", room=9, now=desk.now).work == []
