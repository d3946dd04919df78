"""A failed video is made again as a new one: never two at once, never silently where the first may have been paid."""

import pytest

from jobs import assignment, retry, submission_claims, submit
from jobs.accept import AcceptedVideo
from jobs.retry import Asker
from jobs.settle import AttemptFailed, fail
from providers.reports import Refused
from schemas.names import ErrorCode, Motion, Provider, ProviderChoice, RefundStatus
from schemas.problem import ProblemCode, Refusal
from schemas.video import Refund
from store import uploads, videos
from store.attempts import AttemptRow
from store.uploads import Upload
from tests.support.job_scenario import CLIP, FAILED, GENERATOR, READY, JobScenario

PICTURE = Upload("image/png", 9, "its digest", "the file")


def again(desk: JobScenario, video_id: str, *, accept_risk: bool = False, caller: str = "ops") -> AcceptedVideo:
    made = desk.do(
        retry.retry,
        desk.policy.providers,
        video_id,
        Asker(caller, accepts_risk=accept_risk),
        lambda new: f"https://us.example/{new}",
        now=desk.now,
    )
    assert isinstance(made, AcceptedVideo)
    return made


def refused(desk: JobScenario, video_id: str) -> ProblemCode:
    try:
        again(desk, video_id)
    except Refusal as refusal:
        return refusal.problem.code
    raise AssertionError("it was made again")


def failed(desk: JobScenario, *, refund: RefundStatus = RefundStatus.NOT_CHARGED, **fields: object) -> AttemptRow:
    attempt = desk.sending(Provider("homedesigns"), **fields)
    end = AttemptFailed(ErrorCode.REQUEST_REJECTED, "400", Refund(status=refund, credits=None))
    assert desk.do(fail, desk.policy, attempt, end, now=desk.now)
    return attempt


def fail_again(desk: JobScenario, video_id: str) -> None:
    desk.do(assignment.route, desk.policy, now=desk.now)
    [(attempt, _)] = desk.do(
        submission_claims.claim, desk.policy, Provider("homedesigns"), owner=GENERATOR, room=1, now=desk.now
    ).work
    assert attempt.video_id == video_id
    answer = Refused(ErrorCode.REQUEST_REJECTED, "400")
    desk.do(submit.refused, desk.policy, attempt, answer, owner=GENERATOR, now=desk.now)


def test_a_retry_is_a_new_video_of_the_same_wish(desk: JobScenario) -> None:
    first = failed(desk, motion=Motion.PAN_UP, metadata={"listing": "42"}, prompt="sunset")
    made = again(desk, first.video_id)
    assert made.created
    video, before = made.video, desk.video(first)
    assert video.id != before.id
    assert (video.retry_of, video.status) == (before.id, "accepted")
    for field in ("motion", "orientation", "prompt", "metadata", "input_image"):
        assert getattr(video, field) == getattr(before, field)


def test_its_events_tell_of_what_it_is_a_retry(desk: JobScenario) -> None:
    first = failed(desk)
    made = again(desk, first.video_id)
    fail_again(desk, made.video.id)
    [event] = [body for body in desk.bodies() if body["subject"] == made.video.id]
    assert event["data"]["retry_of"] == first.video_id


def test_a_second_retry_gives_the_same_video_until_that_failed(desk: JobScenario) -> None:
    first = failed(desk)
    made = again(desk, first.video_id)
    same = again(desk, first.video_id, caller="somebody else")
    assert (same.created, same.video.id) == (False, made.video.id)

    fail_again(desk, made.video.id)
    another = again(desk, first.video_id)
    assert another.created
    assert another.video.id not in {first.video_id, made.video.id}
    assert another.video.retry_of == first.video_id


def test_the_retry_of_a_retry_counts_for_the_first_one_too(desk: JobScenario) -> None:
    first = failed(desk)
    second = again(desk, first.video_id).video.id
    fail_again(desk, second)
    third = again(desk, second)
    assert third.video.retry_of == second

    assert again(desk, first.video_id).video.id == third.video.id
    assert again(desk, second).video.id == third.video.id


def test_the_store_itself_allows_no_second_living_retry(desk: JobScenario) -> None:
    first = failed(desk)
    made = again(desk, first.video_id)
    row = desk.do(videos.get, made.video.id)
    assert row is not None
    with pytest.raises(Exception, match=r"(?i)unique"):
        desk.do(videos.add, row._replace(id="another"))


@pytest.mark.parametrize("how", ["in work", "ready"])
def test_only_what_failed_is_retried(desk: JobScenario, how: str) -> None:
    attempt = desk.generating()
    if how == "ready":
        desk.checked(attempt, READY)
    assert refused(desk, attempt.video_id) is ProblemCode.NOT_FAILED


def test_nothing_is_a_retry_of_nothing(desk: JobScenario) -> None:
    assert desk.do(retry.retry, desk.policy.providers, "nobody", Asker("ops"), str, now=desk.now) is None


@pytest.mark.parametrize(
    ("refund", "risky"),
    [(RefundStatus.NOT_CHARGED, False), (RefundStatus.REFUNDED, False), (RefundStatus.UNKNOWN, True)],
)
def test_what_may_have_been_paid_is_retried_only_by_who_takes_the_risk(
    desk: JobScenario, refund: RefundStatus, *, risky: bool
) -> None:
    attempt = failed(desk, refund=refund)
    if risky:
        assert refused(desk, attempt.video_id) is ProblemCode.RETRY_MAY_PAY_TWICE
        assert desk.do(videos.retries_of, attempt.video_id) == []
    assert again(desk, attempt.video_id, accept_risk=risky).created


def test_a_refunded_failure_is_no_risk(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, FAILED)
    assert again(desk, attempt.video_id).created


def test_a_retry_that_may_have_been_paid_makes_the_next_one_a_risk(desk: JobScenario) -> None:
    first = failed(desk)
    second = again(desk, first.video_id).video.id
    desk.do(assignment.route, desk.policy, now=desk.now)
    [(attempt, _)] = desk.do(
        submission_claims.claim, desk.policy, Provider("homedesigns"), owner=GENERATOR, room=1, now=desk.now
    ).work
    assert desk.do(submit.send, attempt.id, owner=GENERATOR, now=desk.now)
    desk.do(submit.mark_outcome_unknown, desk.policy, attempt, "502", now=desk.now)
    assert refused(desk, second) is ProblemCode.RETRY_MAY_PAY_TWICE
    assert refused(desk, first.video_id) is ProblemCode.RETRY_MAY_PAY_TWICE


def test_an_uploaded_picture_is_used_again_and_kept_for_as_long_as_either_needs_it(desk: JobScenario) -> None:
    attempt = failed(desk, image_url=None, picture=PICTURE)
    made = again(desk, attempt.video_id)
    assert desk.do(uploads.of_video, made.video.id) == PICTURE
    assert made.video.input_image == f"https://us.example/{made.video.id}"

    dropped = desk.do(uploads.drop, unused_before=desk.now + 1, limit=10)
    assert (dropped.number, dropped.names) == (1, [])
    fail_again(desk, made.video.id)
    dropped = desk.do(uploads.drop, unused_before=desk.now + 1, limit=10)
    assert (dropped.number, dropped.names) == (1, ["the file"])


def test_a_picture_that_an_earlier_release_put_into_a_row_is_copied(desk: JobScenario) -> None:
    attempt = failed(desk, image_url=None, picture=PICTURE._replace(name=None))
    sql = "INSERT INTO pictures (video_id, content_type, body) VALUES (?, 'image/png', ?)"
    desk.do(lambda tx: tx.execute(sql, (attempt.video_id, b"a picture")))
    made = again(desk, attempt.video_id)
    assert desk.do(uploads.body, made.video.id) == b"a picture"


def test_without_its_picture_a_video_cannot_be_made_again(desk: JobScenario) -> None:
    attempt = failed(desk, image_url=None, picture=PICTURE)
    assert desk.do(uploads.drop, unused_before=desk.now + 1, limit=10).number == 1
    assert refused(desk, attempt.video_id) is ProblemCode.IMAGE_REJECTED


def test_a_provider_without_credentials_makes_nothing_again(desk: JobScenario) -> None:
    attempt = failed(desk)
    desk.under(providers=(Provider("iacrea"),))
    assert refused(desk, attempt.video_id) is ProblemCode.PROVIDER_DISABLED


def test_a_late_result_of_the_first_does_not_touch_its_retry(desk: JobScenario) -> None:
    first = desk.timed_out()
    second = again(desk, first.video_id, accept_risk=True).video.id
    desk.checked(first, READY)
    assert desk.told(first) == ["submitted", "failed", "late"]
    assert desk.shown(first).output_urls == [CLIP]
    row = desk.do(videos.get, second)
    assert row is not None
    assert row.state == "accepted"
    assert ProviderChoice(row.choice) == ProviderChoice("iacrea")
