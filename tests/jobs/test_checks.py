"""Only a sure answer ends a job: what may still change is asked again, what stays away is given up in time."""

import pytest

from jobs.decide import AttemptSucceeded, CheckAgain
from jobs.policy import UNKNOWN_JOB_GRACE
from providers.capabilities import Given
from providers.http.account import Account
from providers.http.responses import Response
from providers.parsing.status import Reader
from providers.registry import capabilities
from providers.reports import Doubtful, Ready, Report, Unavailable, UnknownJob, Working
from schemas.names import PROVIDERS, DetectedBy, ErrorCode, Provider
from store import providers
from store.attempts import AttemptState
from tests.support.job_scenario import CLIP, FAILED, READY, START, JobScenario

HOMEDESIGNS = Provider("homedesigns")
DOUBT = Doubtful(ErrorCode.RESULT_INVALID, "success without an address")
UNSURE: list[Report] = [Working(), UnknownJob("404"), Unavailable("503"), DOUBT]

EACH_PROVIDER = [*(("sqlite", provider) for provider in PROVIDERS), ("postgresql", HOMEDESIGNS)]
"""A desk for each provider; the database has no part in what differs between them."""


@pytest.mark.parametrize("report", UNSURE, ids=lambda report: type(report).__name__)
def test_an_unsure_answer_ends_nothing_and_stays_within_the_bounds(desk: JobScenario, report: Report) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    decision = desk.checked(attempt, report)

    assert isinstance(decision, CheckAgain)
    due_at = desk.current(attempt).due_at
    assert due_at is not None
    assert desk.policy.poll_min <= due_at - desk.now <= desk.policy.poll_max
    assert desk.current(attempt).lease_owner is None


def test_the_addresses_of_a_ready_video_are_shown_and_announced(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    assert desk.checked(attempt, Ready((CLIP, CLIP + "?2"))) == AttemptSucceeded((CLIP, CLIP + "?2"))

    video = desk.video(attempt)
    assert (video.status, video.output_urls, video.error, video.refund) == ("ready", [CLIP, CLIP + "?2"], None, None)
    assert video.attempts[0].output_urls == [CLIP, CLIP + "?2"]
    assert desk.events(attempt)[-1]["data"] == video.model_dump(mode="json")


@pytest.mark.parametrize("second", [READY, FAILED, Working()])
def test_whoever_comes_second_changes_nothing(desk: JobScenario, second: Report) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    desk.learn(claimed, READY)
    before = desk.video(attempt)

    desk.now += 1
    assert desk.learn(claimed, second, owner="another") is None
    assert desk.video(attempt) == before
    assert desk.told(attempt) == ["submitted", "ready"]


def test_evidence_of_an_end_counts_though_the_lease_was_lost(desk: JobScenario) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    desk.now += 11
    assert [row.id for row in desk.due(owner="poller-2")] == [attempt.id]

    assert desk.learn(claimed, READY) == AttemptSucceeded((CLIP,))
    assert desk.video(attempt).status == "ready"


def test_a_stale_owner_does_not_reschedule_what_another_one_is_asking_about(desk: JobScenario) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    desk.now += 11
    desk.due(owner="poller-2")
    before = desk.current(attempt)

    assert desk.learn(claimed, Working()) is None
    assert desk.current(attempt) == before


def test_a_dead_checker_is_replaced_when_its_lease_expires(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.wait_until_due(attempt)
    desk.now += 9.9
    assert desk.due(owner="poller-2") == []
    desk.now += 0.1
    assert len(desk.due(owner="poller-2")) == 1


def test_an_unknown_job_is_tolerated_for_its_grace_and_then_lost(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    answers = 0
    while desk.video(attempt).error is None:
        desk.checked(attempt, UnknownJob("404"))
        answers += desk.now >= START + UNKNOWN_JOB_GRACE

    error = desk.video(attempt).error
    assert error is not None
    assert error.code is ErrorCode.JOB_LOST
    assert answers >= 3
    repeated = START + UNKNOWN_JOB_GRACE + 15 * desk.policy.poll_min
    assert repeated <= desk.now <= repeated + desk.policy.poll_max


def test_one_answer_of_an_unknown_job_ends_nothing(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += UNKNOWN_JOB_GRACE + 1
    for report in (UnknownJob("404"), Working(), UnknownJob("404"), UnknownJob("404"), Unavailable("503"), READY):
        desk.checked(attempt, report)
    assert desk.video(attempt).status == "ready"


def test_the_page_of_a_gateway_ends_nothing_however_long_it_is_shown(desk: JobScenario) -> None:
    given = Given("http://127.0.0.1:9", {"token": "x" * 20}, 8.0, allow_private_outputs=False)
    account = Account.of(capabilities(HOMEDESIGNS), given, {})
    said = Reader(account).report(Response(404, b"<html><title>404 Not Found</title></html>"))
    attempt = desk.generating(HOMEDESIGNS)
    while desk.now < START + UNKNOWN_JOB_GRACE + 60 * desk.policy.poll_min:
        desk.checked(attempt, said)
    assert desk.video(attempt).error is None
    desk.checked(attempt, READY)
    assert desk.video(attempt).status == "ready"


def test_a_job_that_is_known_again_within_the_grace_goes_on(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.checked(attempt, UnknownJob("404"))
    desk.checked(attempt, READY)
    assert desk.video(attempt).status == "ready"


def test_a_doubtful_answer_is_believed_only_after_three_repeats_over_half_a_minute(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.checked(attempt, DOUBT)
    began, answers = desk.now, 1
    while desk.video(attempt).error is None:
        desk.checked(attempt, DOUBT)
        answers += 1

    error = desk.video(attempt).error
    assert error is not None
    assert error.code is ErrorCode.RESULT_INVALID
    assert answers >= 3
    assert desk.now - began >= 15 * desk.policy.poll_min


@pytest.mark.parametrize("between", [Working(), Doubtful(ErrorCode.GENERATION_FAILED, "another doubt")])
def test_a_different_answer_begins_the_doubt_anew(desk: JobScenario, between: Report) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    for _ in range(12):
        desk.checked(attempt, DOUBT)
        desk.checked(attempt, DOUBT)
        desk.checked(attempt, between)
    assert desk.video(attempt).error is None


def test_an_outage_neither_feeds_nor_ends_a_doubt(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.checked(attempt, DOUBT)
    for _ in range(10):
        desk.checked(attempt, Unavailable("503"))
    assert desk.current(attempt).doubt_count == 1
    assert desk.current(attempt).doubt is not None


def test_a_final_doubt_needs_no_repeating(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.checked(attempt, Doubtful(ErrorCode.RESULT_INVALID, "javascript:…", final=True))
    assert desk.told(attempt) == ["submitted", "failed"]


@pytest.mark.parametrize(("desk", "provider"), EACH_PROVIDER, indirect=["desk"])
@pytest.mark.parametrize("timeout", [3.0, 60.0, 900.0])
def test_a_job_is_given_up_within_five_seconds_of_its_time_out(
    desk: JobScenario, provider: Provider, timeout: float
) -> None:
    attempt = desk.under(job_timeout=timeout).generating(provider)
    accepted_at = desk.now
    while desk.video(attempt).error is None:
        desk.now += 0.5
        for claimed in desk.due(provider):
            desk.learn(claimed, Working())

    shown = desk.shown(attempt)
    assert shown.error is not None
    assert (shown.error.code, shown.detected_by) == (ErrorCode.TIMED_OUT, None)
    assert timeout <= desk.now - accepted_at <= timeout + 5


@pytest.mark.parametrize(("desk", "provider"), EACH_PROVIDER, indirect=["desk"])
@pytest.mark.parametrize("timeout", [3.0, 60.0, 900.0])
def test_no_job_is_given_up_without_a_last_look(desk: JobScenario, provider: Provider, timeout: float) -> None:
    attempt = desk.under(job_timeout=timeout).generating(provider)
    looks = []
    while desk.now < START + timeout + 1:
        desk.now += 0.5
        for claimed in desk.due(provider):
            looks.append(desk.now)
            desk.learn(claimed, Working())
    assert looks
    assert looks[-1] >= START + timeout - 2.5
    assert desk.current(attempt).state is AttemptState.FAILED or desk.current(attempt).due_at is not None


def test_the_last_look_may_still_find_the_video(desk: JobScenario) -> None:
    attempt = desk.under(job_timeout=60).generating()
    desk.now = START + 60
    assert isinstance(desk.checked(attempt, READY), AttemptSucceeded)


def test_retry_after_puts_a_check_off(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.checked(attempt, Unavailable("503", retry_after=77))
    assert desk.current(attempt).due_at == desk.now + 77


def test_being_throttled_puts_all_checks_of_that_provider_off(desk: JobScenario) -> None:
    first, _, other = desk.generating(), desk.generating(job="2"), desk.generating(HOMEDESIGNS)
    desk.now += desk.policy.webhook_grace
    claimed = {row.id: row for row in desk.due(room=1)}
    desk.learn(claimed[first.id], Unavailable("429", retry_after=25, throttled=True))

    assert desk.due() == []
    assert [row.id for row in desk.due(HOMEDESIGNS)] == [other.id]
    desk.now += 25
    assert len(desk.due()) == 2


def test_refused_credentials_are_noted_until_they_are_taken_again(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, Unavailable("401", unauthorized=True))
    refused_at = desk.now
    desk.checked(attempt, Unavailable("401", unauthorized=True))
    noted = desk.do(providers.get, Provider("iacrea"))
    assert noted is not None
    assert noted.unauthorized_since == refused_at

    desk.checked(attempt, Working())
    noted = desk.do(providers.get, Provider("iacrea"))
    assert noted is not None
    assert noted.unauthorized_since is None


def test_the_longest_overdue_is_asked_about_first_and_what_was_given_up_last(desk: JobScenario) -> None:
    late = desk.timed_out(job="late")
    desk.now = (desk.current(late).due_at or 0) - 300
    waiting = [desk.generating(job=str(number)) for number in range(3)]
    desk.now += 1
    for attempt in reversed(waiting):
        desk.webhook(attempt)
        desk.now += 1
    desk.now += 300
    order = [row.id for row in desk.due()]
    assert order == [attempt.id for attempt in (*reversed(waiting), late)]


def test_what_a_check_learnt_by_a_webhook_is_told_apart_even_when_it_fails(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += 1
    desk.webhook(attempt)
    desk.checked(attempt, FAILED)
    assert desk.video(attempt).detected_by is DetectedBy.WEBHOOK
