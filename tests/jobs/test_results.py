"""A video is announced as ready after its address was asked, where that is wished; until then it is not."""

from dataclasses import replace
from itertools import cycle

import pytest

from jobs import results
from jobs.decide import AttemptSucceeded, CheckAgain
from jobs.results import Proven, Unproven
from providers.reports import Working
from schemas.names import DetectedBy, ErrorCode, Provider
from schemas.video import Media
from store.attempts import AttemptState
from tests.support.job_scenario import CLIP, READY, JobScenario

HOMEDESIGNS = Provider("homedesigns")
MEDIA = Media(content_type="video/mp4", bytes=1234, checked_at="2026-01-31T12:00:00.000000Z")
PROVEN = Proven((CLIP,), MEDIA, ("file:///clips/1.mp4",))
GONE = Unproven((CLIP,), "the video's host answered 404")


@pytest.fixture
def desk(desk: JobScenario) -> JobScenario:
    return desk.under(proves=frozenset(desk.policy.providers))


def test_what_was_found_at_the_address_is_told_in_the_event(desk: JobScenario) -> None:
    attempt = desk.generating()
    assert isinstance(desk.checked(attempt, PROVEN), AttemptSucceeded)
    video = desk.video(attempt)
    assert (video.status, video.media, video.kept_urls) == ("ready", MEDIA, ["file:///clips/1.mp4"])
    [_, end] = desk.events(attempt)
    assert end["data"]["media"] == MEDIA.model_dump()
    assert end["data"]["kept_urls"] == ["file:///clips/1.mp4"]


def test_a_report_alone_announces_nothing(desk: JobScenario) -> None:
    attempt = desk.generating()
    assert desk.checked(attempt, READY) == CheckAgain(desk.now)
    assert desk.told(attempt) == ["submitted"]
    assert desk.checked(attempt, PROVEN)
    assert desk.told(attempt) == ["submitted", "ready"]


def test_an_address_without_a_video_is_asked_three_times_before_the_result_is_invalid(desk: JobScenario) -> None:
    attempt = desk.generating()
    looks = []
    for status in cycle((502, 404)):  # whatever it says from one time to the next
        desk.checked(attempt, replace(GONE, message=f"the video's host answered {status}"))
        looks.append(desk.now)
        if desk.video(attempt).status == "failed":
            break
    assert len(looks) >= 3
    assert 30 <= looks[-1] - looks[0] <= 45
    shown = desk.shown(attempt)
    assert shown.error
    assert shown.error.code is ErrorCode.RESULT_INVALID
    assert shown.error.message.startswith("the video's host answered")
    assert (shown.refund and shown.refund.status, shown.output_urls) == ("unknown", [])
    assert desk.told(attempt) == ["submitted", "failed"]


def test_an_address_that_answers_the_second_time_is_ready(desk: JobScenario) -> None:
    attempt = desk.generating()
    assert isinstance(desk.checked(attempt, GONE), CheckAgain)
    assert desk.checked(attempt, PROVEN)
    assert desk.video(attempt).status == "ready"


def test_a_made_video_whose_address_is_asked_again_is_not_timed_out(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += desk.policy.job_timeout + 60
    claimed = desk.wait_until_due(attempt)
    assert isinstance(desk.answered(claimed, GONE, asked_at=desk.now), CheckAgain)
    assert desk.checked(attempt, PROVEN)
    assert desk.video(attempt).status == "ready"


def test_a_doubt_about_the_address_is_not_mixed_with_others(desk: JobScenario) -> None:
    attempt = desk.generating()
    for finding in (GONE, GONE, Working(), GONE):
        assert isinstance(desk.checked(attempt, finding), CheckAgain)
    assert desk.current(attempt).doubt_count == 1


def test_a_video_that_comes_with_the_acceptance_is_proven_first(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.accept(attempt, job=None, finished=READY)
    assert desk.video(attempt).status == "generating"
    assert desk.shown(attempt).output_urls == []
    claimed = desk.wait_until_due(attempt)
    assert results.claimed_addresses(claimed) == READY
    assert desk.learn(claimed, GONE)
    assert results.claimed_addresses(desk.current(attempt)) == READY
    assert desk.checked(attempt, PROVEN)
    assert desk.video(attempt).media == MEDIA
    assert desk.credits(HOMEDESIGNS).spent == 1


def test_a_claimed_address_that_stays_empty_is_not_shown(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.accept(attempt, job=None, finished=READY)
    while desk.video(attempt).status != "failed":
        desk.checked(attempt, GONE)
    assert desk.shown(attempt).output_urls == []
    assert desk.video(attempt).media is None


def test_an_answer_that_comes_while_an_address_is_asked_names_the_job(desk: JobScenario) -> None:
    desk.under(trust_webhook_body=True)
    attempt = desk.sending(HOMEDESIGNS)
    desk.accept(attempt, job=None, finished=READY)
    desk.accept(attempt, job="job-9")
    current = desk.current(attempt)
    assert (current.state, current.provider_job_id) == (AttemptState.GENERATING, "job-9")


def test_a_proof_that_comes_after_the_end_is_told_as_late(desk: JobScenario) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    desk.now += desk.policy.job_timeout + 4
    desk.give_up()
    desk.learn(claimed, PROVEN)
    assert desk.told(attempt) == ["submitted", "failed", "late"]
    assert desk.shown(attempt).output_urls == [CLIP]


def test_two_who_prove_at_once_announce_one_end(desk: JobScenario) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    assert desk.learn(claimed, PROVEN, owner="poller-1")
    assert desk.learn(claimed, PROVEN, owner="poller-2") is None
    assert desk.told(attempt) == ["submitted", "ready"]


def test_without_the_wish_a_report_is_believed(desk: JobScenario) -> None:
    desk.under(proves=frozenset())
    attempt = desk.generating()
    desk.checked(attempt, READY)
    assert (desk.video(attempt).status, desk.video(attempt).media) == ("ready", None)
    assert desk.video(attempt).detected_by is DetectedBy.POLL
