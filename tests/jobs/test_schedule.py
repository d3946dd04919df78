"""Whatever happened, the next look lies within the operator's bounds, and the last one at the time-out."""

from hypothesis import assume, given
from hypothesis import strategies as st

from jobs import schedule
from jobs.policy import LATE_RESULT_SECONDS, Policy
from schemas.names import PROVIDERS, Provider
from store.attempts import AttemptRow, AttemptState
from tests.support.job_scenario import START

seconds = st.floats(0.05, 5000, allow_nan=False)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    poll_min = draw(st.floats(0.05, 60))
    return Policy(
        poll_min=poll_min,
        poll_max=draw(st.floats(poll_min, 600)),
        job_timeout=draw(seconds),
        webhook_grace=draw(seconds),
    )


@st.composite
def watched(draw: st.DrawFn) -> AttemptRow:
    woken = draw(st.none() | st.floats(-3000, 3000))
    return AttemptRow(
        id="a", video_id="v", number=1, provider=draw(st.sampled_from(PROVIDERS)), state=AttemptState.GENERATING,
        tries=0, provider_job_id="j", due_at=None, lease_owner=None, submitted_at=START, accepted_at=START,
        finished_at=START, woken_at=None if woken is None else START + woken, checked_at=None, doubt=None,
        doubt_since=None, doubt_count=0, detected_by=None, output_urls=(), error_code=None, error_message=None,
        refund_status=None, refund_credits=None, created_at=START,
    )  # fmt: skip


@given(watched(), policies(), st.floats(0, 10_000))
def test_the_gap_to_the_next_check_stays_within_the_bounds(attempt: AttemptRow, policy: Policy, age: float) -> None:
    now = START + age
    gap = schedule.next_check(attempt, policy, now=now) - now
    assert policy.poll_min - 1e-5 <= gap <= policy.poll_max + 1e-5


@given(watched(), policies(), st.floats(0, 1))
def test_no_check_is_planned_past_the_time_out_while_one_fits_before_it(
    attempt: AttemptRow, policy: Policy, part: float
) -> None:
    now = START + part * policy.job_timeout
    deadline = START + policy.job_timeout
    assume(now + policy.poll_min < deadline)
    assert schedule.next_check(attempt, policy, now=now) <= deadline


@given(st.sampled_from(PROVIDERS), policies())
def test_the_first_check_comes_by_the_time_out(provider: Provider, policy: Policy) -> None:
    first = schedule.first_check(provider, policy, accepted_at=START)
    assert START < first <= START + policy.job_timeout


@given(watched(), policies(), st.floats(0, 2 * LATE_RESULT_SECONDS))
def test_late_looks_are_apart_and_end_after_a_day(attempt: AttemptRow, policy: Policy, age: float) -> None:
    following = schedule.next_late_check(attempt, policy, now=START + age)
    assert (following is None) == (age >= LATE_RESULT_SECONDS)
    if following is not None:
        assert min(policy.poll_max, 3600) - 1e-5 <= following - START - age <= 3600 + 1e-5


@given(st.integers(1, 20), st.none() | st.floats(0, 300))
def test_no_retry_comes_before_the_provider_wants_it(tries: int, retry_after: float | None) -> None:
    assert schedule.retry_delay(tries, retry_after) >= max(1, retry_after or 0)
