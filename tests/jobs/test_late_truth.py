"""What comes after its attempt was given up is told once, and changes nothing of what was already told."""

import pytest

from jobs.policy import LATE_RESULT_SECONDS
from providers.reports import Report, Unavailable, UnknownJob, Working
from schemas.names import ErrorCode, Provider, ProviderChoice
from tests.support.job_scenario import CLIP, FAILED, READY, JobScenario


def test_a_late_video_is_announced_once_and_its_addresses_are_shown_with_the_attempt(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    before = desk.video(attempt)
    claimed = desk.wait_until_due(attempt)
    desk.learn(claimed, READY)
    desk.learn(claimed, READY, owner="another")

    assert desk.told(attempt) == ["submitted", "failed", "late"]
    shown = desk.shown(attempt)
    assert (shown.status, shown.output_urls, shown.error, shown.refund) == (
        "failed", [CLIP], before.attempts[0].error, before.attempts[0].refund,
    )  # fmt: skip
    assert desk.events(attempt)[-1]["data"]["attempts"][0]["output_urls"] == [CLIP]


def test_the_video_and_all_else_of_the_attempt_stay_as_they_were_told(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    before = desk.video(attempt)
    desk.webhook(attempt)
    desk.checked(attempt, READY)
    after = desk.video(attempt)

    assert after.model_dump(exclude={"attempts"}) == before.model_dump(exclude={"attempts"})
    assert after.attempts[0].model_dump(exclude={"output_urls"}) == before.attempts[0].model_dump(
        exclude={"output_urls"}
    )


def test_nobody_asks_again_after_the_late_truth(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    desk.checked(attempt, READY)
    desk.webhook(attempt)
    desk.now += 2 * LATE_RESULT_SECONDS
    assert desk.due() == []


def test_a_late_failure_keeps_the_refund_that_was_told_but_the_ledger_notes_the_credit(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    before = desk.video(attempt)
    desk.checked(attempt, FAILED)

    assert desk.video(attempt) == before
    assert desk.told(attempt) == ["submitted", "failed"]
    assert (desk.credits().spent, desk.credits().refunded) == (1, 1)


def test_a_late_failure_with_homedesigns_claims_no_credit(desk: JobScenario) -> None:
    attempt = desk.timed_out(Provider("homedesigns"))
    desk.checked(attempt, FAILED)
    assert desk.credits(Provider("homedesigns")).refunded == 0


def test_it_is_looked_at_ever_more_seldom_for_a_day(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    given_up_at = desk.now
    gaps: list[float] = []
    while len(gaps) < 200 and (due_at := desk.current(attempt).due_at) is not None:
        gaps.append(due_at - desk.now)
        desk.checked(attempt, Working())

    assert gaps == sorted(gaps)
    assert gaps[0] == desk.policy.poll_max
    assert gaps[-1] <= 3600
    assert LATE_RESULT_SECONDS <= desk.now - given_up_at <= LATE_RESULT_SECONDS + 3600
    assert 20 < len(gaps) < 80
    assert desk.told(attempt) == ["submitted", "failed"]


def test_a_webhook_makes_the_late_look_due_now(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    for _ in range(30):
        desk.checked(attempt, Working())
    desk.now += 5
    assert desk.due() == []
    desk.webhook(attempt)
    [claimed] = desk.due()
    desk.learn(claimed, READY)
    assert desk.told(attempt)[-1] == "late"


@pytest.mark.parametrize("report", [Working(), UnknownJob("404"), Unavailable("503")])
def test_no_other_answer_ends_the_watch(desk: JobScenario, report: Report) -> None:
    attempt = desk.timed_out()
    desk.checked(attempt, report)
    assert (desk.current(attempt).due_at or 0) > desk.now


def test_a_late_look_obeys_retry_after_as_any_other(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    desk.checked(attempt, Unavailable("503", retry_after=200))
    assert desk.current(attempt).due_at == desk.now + 200


def test_a_lost_job_may_still_turn_up(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += 61
    while desk.video(attempt).error is None:
        desk.checked(attempt, UnknownJob("404"))
    error = desk.video(attempt).error
    assert error is not None
    assert error.code is ErrorCode.JOB_LOST
    desk.checked(attempt, READY)
    assert desk.told(attempt) == ["submitted", "failed", "late"]


def test_a_check_under_way_at_the_time_out_still_brings_the_late_truth(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += desk.policy.job_timeout - 1
    [claimed] = desk.due()
    desk.now += 5
    desk.give_up()
    assert desk.learn(claimed, READY) is None
    assert desk.told(attempt) == ["submitted", "failed", "late"]
    assert desk.shown(attempt).output_urls == [CLIP]


def test_a_late_video_of_the_first_provider_leaves_the_second_one_at_work(desk: JobScenario) -> None:
    desk.under(fallback_when_unsure=True)
    attempt = desk.generating(choice=ProviderChoice("auto"), fallback=True)
    desk.now += desk.policy.job_timeout + 4
    desk.give_up()
    desk.checked(attempt, READY)

    video = desk.video(attempt)
    assert desk.told(attempt) == ["submitted", "fallback", "late"]
    assert (video.status, video.provider, video.output_urls) == ("submitting", Provider("homedesigns"), [])


def test_what_its_provider_itself_called_failed_is_over(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, FAILED)
    assert desk.current(attempt).due_at is None


def test_a_stale_owner_of_a_late_check_does_not_reschedule_what_another_one_is_asking_about(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    claimed = desk.wait_until_due(attempt)
    desk.now += 11
    assert [row.id for row in desk.due(owner="poller-2")] == [attempt.id]
    before = desk.current(attempt)

    desk.learn(claimed, Working())
    assert desk.current(attempt) == before
