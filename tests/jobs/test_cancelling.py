"""To stop a video is told truthfully: done, wished or too late, and refused where it would mislead."""

from dataclasses import replace

import pytest

from jobs import cancelling, submit
from jobs.cancelling import CannotCancel
from providers import registry
from providers.capabilities import Cancel
from providers.reports import CancelAnswer, CancelResult, Failed, NotAcceptedYet, UnknownJob, Working
from schemas.cancellation import Cancellation
from schemas.names import AUTO, CancelOutcome, ErrorCode, Provider, RefundStatus
from schemas.video import Refund
from store import audit
from store.attempts import AttemptRow, AttemptState
from tests.support.job_scenario import GENERATOR, READY, JobScenario

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")
CHARGED = Refund(status=RefundStatus.CHARGED, credits=0)
STOPPED = CancelAnswer(CancelResult.DONE, "it is stopped", CHARGED)


@pytest.fixture
def stoppable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have both providers stop jobs when they are asked to."""
    for name in (IACREA, HOMEDESIGNS):
        monkeypatch.setitem(registry.PROVIDERS, name, replace(registry.PROVIDERS[name], cancel=Cancel.CERTAIN))


def cancelled(desk: JobScenario, video_id: str) -> Cancellation:
    outcome = desk.do(cancelling.cancel, video_id, actor="tester", now=desk.now)
    assert isinstance(outcome, Cancellation)
    return outcome


def told(desk: JobScenario, attempt: AttemptRow, answer: CancelAnswer) -> None:
    """Have the poller hand the wish on, and the provider answer so."""
    claimed = desk.wait_until_due(attempt)
    assert cancelling.is_to_be_asked(claimed)
    if desk.do(cancelling.answered, desk.policy, claimed, answer, now=desk.now) is None:
        desk.learn(claimed, Working())


@pytest.mark.parametrize("state", ["accepted", "routed", "claimed"])
def test_what_was_never_sent_ends_at_once_and_costs_nothing(desk: JobScenario, state: str) -> None:
    if state == "accepted":
        video_id = desk.request(choice=AUTO, fallback=True)
    else:
        video_id = {"routed": desk.routed, "claimed": desk.claimed}[state](fallback=True).video_id
    outcome = cancelled(desk, video_id)
    assert (outcome.outcome, outcome.refund and outcome.refund.status) == (CancelOutcome.DONE, "not_charged")
    assert cancelled(desk, video_id).outcome is CancelOutcome.DONE
    [end] = [body for body in desk.bodies() if body["subject"] == video_id]
    assert (end["type"], end["data"]["error"]["code"]) == ("video.failed", "cancelled")
    assert len(end["data"]["attempts"]) <= 1
    assert [entry.action for entry in desk.do(audit.page, before=None, limit=9)].count("cancelled") == 1


def test_a_submission_that_was_cancelled_before_its_first_byte_is_not_sent(desk: JobScenario) -> None:
    attempt = desk.claimed()
    cancelled(desk, attempt.video_id)
    assert not desk.do(submit.send, attempt.id, owner=GENERATOR, now=desk.now)
    desk.do(submit.release, attempt.id, owner=GENERATOR, now=desk.now)
    assert desk.current(attempt).state is AttemptState.FAILED


def test_a_provider_that_cannot_be_asked_is_not_made_to_seem_so(desk: JobScenario) -> None:
    for attempt in (desk.sending(HOMEDESIGNS), desk.unconfirmed(), desk.generating(job="job-2")):
        before = desk.current(attempt)
        answer = desk.do(cancelling.cancel, attempt.video_id, actor="tester", now=desk.now)
        assert isinstance(answer, CannotCancel)
        assert "cannot be asked" in answer.why
        assert desk.current(attempt) == before
        assert desk.video(attempt).cancellation is None
    assert (
        desk.do(
            audit.page,
            before=None,
            limit=9,
        )[0].action
        != "cancelled"
    )


@pytest.mark.usefixtures("stoppable")
def test_the_providers_word_ends_the_video_as_cancelled(desk: JobScenario) -> None:
    attempt = desk.generating(fallback=True)
    assert cancelled(desk, attempt.video_id).outcome is CancelOutcome.WISHED
    assert desk.told(attempt) == ["submitted"]
    told(desk, attempt, STOPPED)
    outcome = cancelled(desk, attempt.video_id)
    assert (outcome.outcome, outcome.refund) == (CancelOutcome.DONE, CHARGED)
    assert desk.told(attempt) == ["submitted", "failed"]
    video = desk.video(attempt)
    assert video.error
    assert (video.error.code, len(video.attempts)) == (ErrorCode.CANCELLED, 1)
    assert video.cancellation
    assert video.cancellation.outcome is CancelOutcome.DONE


@pytest.mark.usefixtures("stoppable")
def test_a_wish_that_the_provider_only_heard_leaves_the_end_to_it(desk: JobScenario) -> None:
    finished, stopped = desk.generating(job="job-1"), desk.generating(job="job-2")
    for attempt in (finished, stopped):
        cancelled(desk, attempt.video_id)
        told(desk, attempt, CancelAnswer(CancelResult.WISHED, "it was asked"))
        assert cancelled(desk, attempt.video_id).outcome is CancelOutcome.WISHED
        assert not cancelling.is_to_be_asked(desk.current(attempt))
    desk.checked(finished, READY)
    outcome = cancelled(desk, finished.video_id)
    assert (outcome.outcome, outcome.refund) == (CancelOutcome.TOO_LATE, CHARGED)
    desk.checked(stopped, Failed("stopped", refund=CHARGED, cancelled=True))
    assert cancelled(desk, stopped.video_id).outcome is CancelOutcome.DONE


@pytest.mark.usefixtures("stoppable")
@pytest.mark.parametrize("result", [CancelResult.TOO_LATE, CancelResult.UNKNOWN])
def test_a_provider_that_stops_nothing_is_believed_only_in_its_report(desk: JobScenario, result: CancelResult) -> None:
    attempt = desk.generating()
    cancelled(desk, attempt.video_id)
    told(desk, attempt, CancelAnswer(result, "hm"))
    assert desk.video(attempt).status == "generating"
    assert cancelling.is_to_be_asked(desk.current(attempt)) is (result is CancelResult.UNKNOWN)
    desk.checked(attempt, READY)
    assert desk.video(attempt).status == "ready"


@pytest.mark.usefixtures("stoppable")
def test_a_wish_that_comes_during_a_check_is_handed_on_at_once(desk: JobScenario) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    cancelled(desk, attempt.video_id)
    desk.learn(claimed, Working())
    assert desk.current(attempt).due_at == desk.now
    told(desk, attempt, STOPPED)
    assert desk.told(attempt) == ["submitted", "failed"]


@pytest.mark.usefixtures("stoppable")
def test_an_end_that_comes_first_stands(desk: JobScenario) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    cancelled(desk, attempt.video_id)
    desk.learn(claimed, READY)
    assert desk.do(cancelling.answered, desk.policy, claimed, STOPPED, now=desk.now) is None
    assert desk.told(attempt) == ["submitted", "ready"]


@pytest.mark.usefixtures("stoppable")
def test_a_stop_that_comes_first_stands(desk: JobScenario) -> None:
    attempt = desk.generating()
    cancelled(desk, attempt.video_id)
    claimed = desk.wait_until_due(attempt)
    for _ in range(2):  # whoever handed it on died, and another one did too
        desk.do(cancelling.answered, desk.policy, claimed, STOPPED, now=desk.now)
    desk.webhook(attempt)
    desk.learn(claimed, READY)
    assert desk.told(attempt) == ["submitted", "failed"]


@pytest.mark.usefixtures("stoppable")
def test_a_wish_beside_the_answer_to_the_submission_is_handed_on_then(desk: JobScenario) -> None:
    attempt = desk.sending()
    assert cancelled(desk, attempt.video_id).outcome is CancelOutcome.WISHED
    desk.accept(attempt)
    assert desk.current(attempt).due_at == desk.now
    told(desk, attempt, STOPPED)
    assert desk.told(attempt) == ["submitted", "failed"]


@pytest.mark.usefixtures("stoppable")
def test_what_was_not_accepted_is_not_sent_again_after_a_wish(desk: JobScenario) -> None:
    attempt = desk.sending(fallback=True, choice=AUTO)
    cancelled(desk, attempt.video_id)
    busy = NotAcceptedYet("503")
    desk.do(submit.not_accepted, desk.policy, attempt, busy, owner=GENERATOR, now=desk.now)
    shown = desk.shown(attempt)
    assert shown.error
    assert (shown.error.code, shown.refund and shown.refund.status) == (ErrorCode.CANCELLED, "not_charged")
    assert desk.told(attempt) == ["failed"]


@pytest.mark.usefixtures("stoppable")
def test_no_other_provider_is_tried_after_a_wish(desk: JobScenario) -> None:
    attempt = desk.generating(fallback=True, choice=AUTO)
    cancelled(desk, attempt.video_id)
    desk.checked(attempt, Failed("a fault of its own"))
    assert desk.told(attempt) == ["submitted", "failed"]
    assert cancelled(desk, attempt.video_id).outcome is CancelOutcome.TOO_LATE


@pytest.mark.usefixtures("stoppable")
@pytest.mark.parametrize(
    ("forgets", "asked", "ends"),
    [(True, True, "cancelled"), (True, False, "job_lost"), (False, True, "job_lost")],
)
def test_a_job_that_is_gone_was_stopped_only_where_that_was_asked_of_a_provider_that_forgets(
    desk: JobScenario, monkeypatch: pytest.MonkeyPatch, *, forgets: bool, asked: bool, ends: str
) -> None:
    record = replace(registry.PROVIDERS[IACREA], cancel_forgets=forgets)
    monkeypatch.setitem(registry.PROVIDERS, IACREA, record)
    attempt = desk.generating()
    cancelled(desk, attempt.video_id)
    if asked:
        claimed = desk.wait_until_due(attempt)
        assert desk.do(cancelling.note_asking, claimed)
        assert cancelling.is_to_be_asked(desk.current(attempt))
        desk.learn(claimed, Working())
    gone = UnknownJob("404")
    desk.checked(attempt, gone)
    assert desk.video(attempt).status == "generating", "one answer may be a slip"
    while desk.video(attempt).status == "generating":
        desk.checked(attempt, gone)
    shown = desk.shown(attempt)
    assert shown.error
    assert (shown.error.code, shown.refund and shown.refund.status) == (ends, "unknown")
    assert desk.told(attempt) == ["submitted", "failed"]


def test_a_job_that_has_ended_is_not_asked_to_stop(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    assert not desk.do(cancelling.note_asking, attempt)


def test_a_job_that_somebody_else_stopped_is_a_failure_of_its_own(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, Failed("stopped at the provider", cancelled=True))
    shown = desk.shown(attempt)
    assert shown.error
    assert shown.error.code is ErrorCode.GENERATION_FAILED


def test_nothing_is_done_to_what_has_ended_or_is_unknown(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    assert cancelled(desk, attempt.video_id).outcome is CancelOutcome.TOO_LATE
    assert desk.told(attempt) == ["submitted", "ready"]
    assert desk.do(cancelling.cancel, "nobody", actor="tester", now=desk.now) is None
