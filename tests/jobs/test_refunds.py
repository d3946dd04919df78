"""Only IACrea's own FAILED brings a credit back; what was never accepted cost nothing; of the rest nobody knows."""

from collections.abc import Callable

import pytest

from jobs import overdue, refunds, submission_claims, submit, unconfirmed
from providers.registry import PROVIDERS, capabilities
from providers.reports import Doubtful, Failed, NotAcceptedYet, Refused, UnknownJob
from schemas.names import ErrorCode, Motion, Provider, ProviderChoice, RefundStatus
from schemas.video import Refund
from store import history
from store.attempts import AttemptRow
from tests.support.job_scenario import FAILED, GENERATOR, READY, JobScenario

NONE = Refund(status=RefundStatus.NOT_CHARGED, credits=0)
ONE = Refund(status=RefundStatus.REFUNDED, credits=1)
WHO_KNOWS = Refund(status=RefundStatus.UNKNOWN, credits=None)
IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")

Ending = Callable[[JobScenario, Provider], AttemptRow]


def reported_failed(desk: JobScenario, provider: Provider) -> AttemptRow:
    attempt = desk.generating(provider)
    desk.checked(attempt, FAILED)
    return attempt


def failed_in_the_answer(desk: JobScenario, provider: Provider) -> AttemptRow:
    attempt = desk.sending(provider)
    desk.accept(attempt, finished=FAILED)
    return attempt


def refused(desk: JobScenario, provider: Provider) -> AttemptRow:
    attempt = desk.sending(provider)
    answer = Refused(ErrorCode.REQUEST_REJECTED, "no")
    desk.do(submit.refused, desk.policy, attempt, answer, owner=GENERATOR, now=desk.now)
    return attempt


def never_accepted(desk: JobScenario, provider: Provider) -> AttemptRow:
    attempt = desk.under(submit_attempts=1).sending(provider)
    answer = NotAcceptedYet("503")
    desk.do(submit.not_accepted, desk.policy, attempt, answer, owner=GENERATOR, now=desk.now)
    return attempt


def of_unknown_outcome(desk: JobScenario, provider: Provider) -> AttemptRow:
    attempt = desk.sending(provider)
    desk.do(submit.mark_outcome_unknown, desk.policy, attempt, "no answer", now=desk.now)
    if provider == IACREA:
        desk.now += desk.policy.confirm_wait
        [claimed] = desk.due()
        desk.do(unconfirmed.keep_waiting, desk.policy, claimed, owner="poller-1", now=desk.now)
    return attempt


def timed_out(desk: JobScenario, provider: Provider) -> AttemptRow:
    return desk.timed_out(provider)


def forgotten(desk: JobScenario, provider: Provider) -> AttemptRow:
    attempt = desk.generating(provider)
    desk.now += 61
    while desk.video(attempt).error is None:
        desk.checked(attempt, UnknownJob("404"))
    return attempt


def without_a_usable_result(desk: JobScenario, provider: Provider) -> AttemptRow:
    attempt = desk.generating(provider)
    desk.checked(attempt, Doubtful(ErrorCode.RESULT_INVALID, "ftp://…", final=True))
    return attempt


@pytest.mark.parametrize(
    ("ending", "provider", "code", "refund"),
    [
        (reported_failed, IACREA, ErrorCode.GENERATION_FAILED, ONE),
        (reported_failed, HOMEDESIGNS, ErrorCode.GENERATION_FAILED, WHO_KNOWS),
        (failed_in_the_answer, IACREA, ErrorCode.GENERATION_FAILED, ONE),
        (failed_in_the_answer, HOMEDESIGNS, ErrorCode.GENERATION_FAILED, WHO_KNOWS),
        (refused, IACREA, ErrorCode.REQUEST_REJECTED, NONE),
        (refused, HOMEDESIGNS, ErrorCode.REQUEST_REJECTED, NONE),
        (never_accepted, IACREA, ErrorCode.PROVIDER_UNAVAILABLE, NONE),
        (never_accepted, HOMEDESIGNS, ErrorCode.PROVIDER_UNAVAILABLE, NONE),
        (of_unknown_outcome, IACREA, ErrorCode.SUBMISSION_UNKNOWN, WHO_KNOWS),
        (of_unknown_outcome, HOMEDESIGNS, ErrorCode.SUBMISSION_UNKNOWN, WHO_KNOWS),
        (timed_out, IACREA, ErrorCode.TIMED_OUT, WHO_KNOWS),
        (timed_out, HOMEDESIGNS, ErrorCode.TIMED_OUT, WHO_KNOWS),
        (forgotten, IACREA, ErrorCode.JOB_LOST, WHO_KNOWS),
        (forgotten, HOMEDESIGNS, ErrorCode.JOB_LOST, WHO_KNOWS),
        (without_a_usable_result, IACREA, ErrorCode.RESULT_INVALID, WHO_KNOWS),
        (without_a_usable_result, HOMEDESIGNS, ErrorCode.RESULT_INVALID, WHO_KNOWS),
    ],
)
def test_each_way_to_fail_has_its_refund_in_the_video_and_in_its_event(
    desk: JobScenario, ending: Ending, provider: Provider, code: ErrorCode, refund: Refund
) -> None:
    attempt = ending(desk, provider)

    video = desk.video(attempt)
    assert video.error is not None
    assert (video.error.code, video.refund, video.attempts[0].refund) == (code, refund, refund)
    assert desk.events(attempt)[-1]["data"]["refund"] == refund.model_dump()
    assert desk.credits(provider).refunded == (1 if refund == ONE else 0)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], NONE),
        ([NONE], NONE),
        ([NONE, NONE], NONE),
        ([ONE], ONE),
        ([ONE, NONE], ONE),
        ([ONE, ONE], Refund(status=RefundStatus.REFUNDED, credits=2)),
        ([refunds.CHARGED, refunds.NOT_CHARGED], refunds.CHARGED),
        ([refunds.CHARGED, ONE], ONE),
        ([WHO_KNOWS], WHO_KNOWS),
        ([NONE, WHO_KNOWS], WHO_KNOWS),
        ([ONE, WHO_KNOWS], WHO_KNOWS),
    ],
)
def test_the_refund_of_a_video_sums_its_attempts(parts: list[Refund], whole: Refund) -> None:
    assert refunds.total(parts) == whole
    assert refunds.total(parts[::-1]) == whole


def test_a_video_made_after_a_refunded_attempt_still_shows_that_refund(desk: JobScenario) -> None:
    attempt = desk.generating(IACREA, choice=ProviderChoice("auto"), fallback=True, motion=Motion.ZOOM_IN)
    assert desk.video(attempt).refund is None
    desk.checked(attempt, FAILED)
    assert desk.video(attempt).refund == ONE

    second = desk.attempt(attempt.video_id, 2)
    desk.do(submission_claims.claim, desk.policy, HOMEDESIGNS, owner=GENERATOR, room=1, now=desk.now)
    desk.do(submit.send, second.id, owner=GENERATOR, now=desk.now)
    desk.accept(second, job="job-2", finished=READY)

    video = desk.video(attempt)
    assert (video.status, video.refund, video.error) == ("ready", ONE, None)
    assert [shown.refund for shown in video.attempts] == [ONE, None]


def test_our_own_time_out_claims_nothing_even_after_many_checks(desk: JobScenario) -> None:
    attempt = desk.timed_out(IACREA)
    assert desk.do(overdue.give_up, desk.policy, [attempt.id], now=desk.now) == 0
    assert desk.shown(attempt).refund == WHO_KNOWS
    assert desk.credits().refunded == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_evidence_of_a_failures_price_is_told_in_the_timeline(desk: JobScenario, provider: Provider) -> None:
    attempt = desk.generating(provider)
    desk.checked(attempt, FAILED)
    notes = {entry.what: entry.detail for entry in desk.do(history.of_video, attempt.video_id)}
    assert notes[f"credit {capabilities(provider).failure_refund.status}"] == capabilities(provider).refund_evidence


def test_what_a_report_tells_of_a_jobs_own_price_is_kept_as_it_told_it(desk: JobScenario) -> None:
    attempt = desk.generating(Provider("kling"))
    desk.checked(attempt, Failed("no", refund=NONE, evidence='billing: [{"amount": "0"}]'))
    notes = {entry.what: entry.detail for entry in desk.do(history.of_video, attempt.video_id)}
    assert notes["credit not_charged"] == 'billing: [{"amount": "0"}]'
