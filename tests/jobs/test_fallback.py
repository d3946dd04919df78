"""The next provider is tried when one failed, unless the picture is at fault or it might cost a second credit."""

import pytest

from jobs import submission_claims
from jobs.settle import AttemptFailed, fail
from schemas.names import ErrorCode, Motion, Provider, ProviderChoice, RefundStatus
from schemas.video import Refund
from tests.support.job_scenario import FAILED, GENERATOR, JobScenario

ENDING = {ErrorCode.IMAGE_REJECTED, ErrorCode.CANCELLED}
"""After these no provider is tried any more."""
UNSURE = {ErrorCode.SUBMISSION_UNKNOWN, ErrorCode.TIMED_OUT}


def failing(code: ErrorCode) -> AttemptFailed:
    return AttemptFailed(code, "because", Refund(status=RefundStatus.UNKNOWN, credits=None))


@pytest.mark.parametrize("when_unsure", [False, True])
@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("code", ErrorCode)
def test_which_failure_is_followed_by_the_next_provider(
    desk: JobScenario, code: ErrorCode, *, allowed: bool, when_unsure: bool
) -> None:
    desk.under(fallback_when_unsure=when_unsure)
    attempt = desk.generating(choice=ProviderChoice("auto"), fallback=allowed)

    assert desk.do(fail, desk.policy, attempt, failing(code), now=desk.now)

    followed = allowed and code not in ENDING and (when_unsure or code not in UNSURE)
    assert desk.told(attempt) == ["submitted", "fallback" if followed else "failed"]
    assert len(desk.video(attempt).attempts) == (2 if followed else 1)
    assert desk.video(attempt).status == ("submitting" if followed else "failed")


def test_the_event_of_a_fallback_shows_and_is_keyed_by_the_attempt_that_failed(desk: JobScenario) -> None:
    attempt = desk.generating(choice=ProviderChoice("auto"), fallback=True)
    desk.checked(attempt, FAILED)

    event = desk.events(attempt)[-1]
    assert desk.routing_keys()[-1] == "video.fallback.iacrea"
    assert event["data"]["provider"] == "iacrea"
    [shown] = event["data"]["attempts"]
    assert (shown["status"], shown["refund"]) == ("failed", {"status": "refunded", "credits": 1})


def test_the_next_attempt_is_due_at_once_and_the_video_shows_it(desk: JobScenario) -> None:
    attempt = desk.generating(choice=ProviderChoice("auto"), fallback=True)
    desk.checked(attempt, FAILED)

    found = desk.do(
        submission_claims.claim, desk.policy, Provider("homedesigns"), owner=GENERATOR, room=5, now=desk.now
    )
    assert [(row.number, video.id) for row, video in found.work] == [(2, attempt.video_id)]
    video = desk.video(attempt)
    assert (video.provider, video.provider_job_id, video.error) == (Provider("homedesigns"), None, None)


def test_a_provider_chosen_by_name_falls_back_only_where_the_caller_says_so(desk: JobScenario) -> None:
    attempt = desk.generating(Provider("homedesigns"), fallback=True)
    desk.checked(attempt, FAILED)
    assert [shown.provider for shown in desk.video(attempt).attempts] == ["homedesigns", "iacrea"]


def test_no_provider_is_tried_twice_and_the_last_failure_ends_the_video(desk: JobScenario) -> None:
    attempt = desk.generating(choice=ProviderChoice("auto"), fallback=True)
    desk.do(fail, desk.policy, attempt, failing(ErrorCode.JOB_LOST), now=desk.now)
    second = desk.attempt(attempt.video_id, 2)
    desk.do(fail, desk.policy, second, failing(ErrorCode.OUT_OF_CREDITS), now=desk.now)

    assert desk.told(attempt) == ["submitted", "fallback", "failed"]
    video = desk.video(attempt)
    assert video.error is not None
    assert (video.error.code, video.provider) == (ErrorCode.OUT_OF_CREDITS, Provider("homedesigns"))


def test_nobody_is_asked_for_a_motion_that_they_lack(desk: JobScenario) -> None:
    attempt = desk.generating(choice=ProviderChoice("auto"), fallback=True, motion=Motion.AUTO_REVERSE)
    desk.checked(attempt, FAILED)
    assert desk.told(attempt) == ["submitted", "failed"]
