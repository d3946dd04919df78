"""A submission whose answer was lost is found at the provider, or proven to be absent; nothing else sends it again."""

from dataclasses import replace

import pytest

from jobs import cancelling, lookups, submission_claims, submit, unconfirmed
from providers import registry
from providers.capabilities import Cancel, Lookup
from providers.reports import Handle, NotFound, Working
from schemas.names import ErrorCode, Provider
from store.attempts import AttemptRow, AttemptState
from tests.support.job_scenario import POLLER, JobScenario

TOY = Provider("homedesigns")
ABSENT = NotFound("no submission of this name")


@pytest.fixture(params=[Lookup.BY_NAME, Lookup.SEARCH], ids=["by name", "search"])
def lookup(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lookup:
    """Have a provider be asked for lost submissions in one of the two ways."""
    record = replace(registry.PROVIDERS[TOY], lookup=request.param, cancel=Cancel.CERTAIN)
    monkeypatch.setitem(registry.PROVIDERS, TOY, record)
    return Lookup(request.param)


def lost(desk: JobScenario) -> AttemptRow:
    attempt = desk.sending(TOY)
    desk.do(submit.mark_outcome_unknown, desk.policy, attempt, "no answer came", now=desk.now)
    return desk.current(attempt)


def not_found(desk: JobScenario, attempt: AttemptRow) -> None:
    claimed = desk.wait_until_due(attempt)
    desk.do(lookups.not_found, desk.policy, claimed, ABSENT, owner=POLLER, now=desk.now)


@pytest.mark.usefixtures("lookup")
def test_what_is_found_goes_on_with_its_job(desk: JobScenario) -> None:
    attempt = lost(desk)
    assert attempt.due_at == desk.now + 5
    not_found(desk, attempt)
    claimed, job = desk.wait_until_due(attempt), Handle("job-7", {"region": "south"})
    desk.do(unconfirmed.confirm_job, desk.policy, claimed, job, Working(), owner=POLLER, now=desk.now)
    current = desk.current(attempt)
    assert (current.state, current.provider_job_id) == (AttemptState.GENERATING, "job-7")
    assert current.job_details == {"region": "south"}
    assert desk.told(attempt) == ["submitted"]
    assert desk.credits(TOY).spent == 1


def test_absence_by_name_is_proven_by_three_looks_over_65_seconds(desk: JobScenario, lookup: Lookup) -> None:
    attempt, began = lost(desk), desk.now
    looks = []
    while desk.current(attempt).state is AttemptState.UNCONFIRMED:
        not_found(desk, attempt)
        looks.append(desk.now - began)
    if lookup is Lookup.SEARCH:
        shown = desk.shown(attempt)
        assert shown.error
        assert (shown.error.code, shown.refund and shown.refund.status) == (ErrorCode.SUBMISSION_UNKNOWN, "unknown")
        assert looks[-1] >= desk.policy.confirm_wait
        return
    assert looks == [5, 35, 65]
    current = desk.current(attempt)
    assert (current.state, current.tries) == (AttemptState.WAITING, 1)
    desk.now = current.due_at or 0
    [(again, _)] = desk.do(submission_claims.claim, desk.policy, TOY, owner="generator-2", room=1, now=desk.now).work
    assert again.id == attempt.id


def test_a_second_loss_is_looked_for_three_times_again(desk: JobScenario, lookup: Lookup) -> None:
    if lookup is Lookup.SEARCH:
        return
    attempt = lost(desk)
    for _ in range(3):
        not_found(desk, attempt)
    desk.now = desk.current(attempt).due_at or 0
    desk.do(submission_claims.claim, desk.policy, TOY, owner="generator-2", room=1, now=desk.now)
    assert desk.do(submit.send, attempt.id, owner="generator-2", now=desk.now)
    desk.do(submit.mark_outcome_unknown, desk.policy, desk.current(attempt), "no answer came", now=desk.now)
    not_found(desk, attempt)
    assert (desk.current(attempt).state, desk.current(attempt).absences) == (AttemptState.UNCONFIRMED, 1)


@pytest.mark.usefixtures("lookup")
def test_an_answer_that_comes_after_all_is_recorded(desk: JobScenario) -> None:
    attempt = lost(desk)
    claimed = desk.wait_until_due(attempt)
    desk.accept(attempt, job="job-1")
    desk.do(lookups.not_found, desk.policy, claimed, ABSENT, owner=POLLER, now=desk.now)
    current = desk.current(attempt)
    assert (current.state, current.provider_job_id) == (AttemptState.GENERATING, "job-1")


def test_two_who_look_at_once_count_one_absence(desk: JobScenario, lookup: Lookup) -> None:
    attempt = lost(desk)
    claimed = desk.wait_until_due(attempt)
    for owner in (POLLER, "poller-2", POLLER):
        desk.do(lookups.not_found, desk.policy, claimed, ABSENT, owner=owner, now=desk.now)
    assert desk.current(attempt).absences == (1 if lookup is Lookup.BY_NAME else 0)


def test_a_wished_submission_that_is_proven_absent_ends_as_cancelled(desk: JobScenario, lookup: Lookup) -> None:
    attempt = lost(desk)
    desk.do(cancelling.cancel, attempt.video_id, actor="tester", now=desk.now)
    while desk.video(attempt).status != "failed":
        not_found(desk, attempt)
    shown = desk.shown(attempt)
    assert shown.error
    expected = ErrorCode.CANCELLED if lookup is Lookup.BY_NAME else ErrorCode.SUBMISSION_UNKNOWN
    assert shown.error.code is expected
    assert desk.told(attempt) == ["failed"]


@pytest.mark.usefixtures("lookup")
def test_a_provider_that_cannot_be_reached_is_asked_until_the_wait_is_over(desk: JobScenario) -> None:
    attempt, began = lost(desk), desk.now
    while desk.video(attempt).status != "failed":
        claimed = desk.wait_until_due(attempt)
        desk.do(lookups.retry_lookup, desk.policy, claimed, owner=POLLER, now=desk.now)
    shown = desk.shown(attempt)
    assert shown.error
    assert shown.error.code is ErrorCode.SUBMISSION_UNKNOWN
    assert desk.now - began == pytest.approx(desk.policy.confirm_wait, abs=desk.policy.poll_max)
