"""What is accepted is stored whole; the same idempotency key stands for one video, for each caller on its own."""

from dataclasses import replace

import pytest

from jobs import accept, assignment, housekeeping, timeline, view
from jobs.accept import AcceptedVideo, BudgetExhausted, KeyConflict
from schemas.names import Motion, Orientation, Provider, ProviderChoice, VideoStatus
from schemas.times import optional_rfc3339
from store import attempts, uploads, videos
from store.uploads import Upload
from store.video_lists import EVERY, Filter
from tests.support.job_scenario import FAILED, READY, REQUEST, START, JobScenario

DAY = 24 * 3600.0


def ask(desk: JobScenario, **fields: object) -> AcceptedVideo | KeyConflict | BudgetExhausted:
    return desk.do(accept.accept, replace(REQUEST, **fields), lambda video: f"https://us/{video}", now=desk.now)  # type: ignore[arg-type]  # any field


def test_an_accepted_video_shows_all_that_was_asked_for(desk: JobScenario) -> None:
    answer = ask(
        desk, motion=Motion.PAN_UP, orientation=Orientation.PORTRAIT, prompt="langsam", metadata={"k": "v"},
        choice=ProviderChoice("auto"),
    )  # fmt: skip
    assert isinstance(answer, AcceptedVideo)
    video = answer.video
    assert (video.motion, video.orientation, video.prompt, video.metadata) == (
        "pan_up",
        "portrait",
        "langsam",
        {"k": "v"},
    )
    assert (video.status, video.provider, video.attempts, video.output_urls) == ("accepted", None, [], [])
    assert (video.error, video.refund, video.completed_at) == (None, None, None)
    assert desk.do(view.video, video.id) == video


def test_an_uploaded_picture_is_kept_with_its_video_and_shown_by_address(desk: JobScenario) -> None:
    picture = Upload("image/png", 4, "hash", "name")
    answer = ask(desk, image_url=None, picture=picture)
    assert isinstance(answer, AcceptedVideo)
    assert answer.video.input_image == f"https://us/{answer.video.id}"
    assert desk.do(uploads.of_video, answer.video.id) == picture


def test_the_same_key_and_request_give_the_same_video(desk: JobScenario) -> None:
    first = ask(desk, idempotency_key="k")
    desk.do(assignment.route, desk.policy, now=desk.now)
    desk.now += DAY - 1
    second = ask(desk, idempotency_key="k")
    assert isinstance(first, AcceptedVideo)
    assert isinstance(second, AcceptedVideo)
    assert (first.created, second.created) == (True, False)
    assert second.video.id == first.video.id
    assert second.video.status == "submitting"


def test_the_same_key_with_another_request_is_refused_and_stores_nothing(desk: JobScenario) -> None:
    ask(desk, idempotency_key="k")
    assert isinstance(ask(desk, idempotency_key="k", fingerprint="different"), KeyConflict)
    assert len(desk.do(lambda tx: videos.ask_accepted(tx, limit=10, now=START)())) == 1


def test_each_caller_has_keys_of_its_own(desk: JobScenario) -> None:
    first, second = ask(desk, idempotency_key="k"), ask(desk, idempotency_key="k", caller="another")
    assert isinstance(first, AcceptedVideo)
    assert isinstance(second, AcceptedVideo)
    assert first.video.id != second.video.id


def test_without_a_key_every_request_is_a_video(desk: JobScenario) -> None:
    assert len({desk.request() for _ in range(5)}) == 5


@pytest.mark.parametrize(("age", "kept"), [(DAY, True), (3 * DAY, False)])
def test_a_key_is_kept_for_a_day_and_not_for_ever(desk: JobScenario, age: float, *, kept: bool) -> None:
    ask(desk, idempotency_key="k")
    desk.now += age
    desk.do(housekeeping.sweep, now=desk.now)
    answer = ask(desk, idempotency_key="k")
    assert isinstance(answer, AcceptedVideo)
    assert answer.created is not kept


def test_a_picture_is_dropped_only_when_its_video_has_been_done_for_its_time_to_live(desk: JobScenario) -> None:
    picture = Upload("image/png", 4, "hash", "name")
    attempt = desk.generating(image_url=None, picture=picture)
    desk.now += 100 * desk.policy.media_ttl
    assert desk.do(housekeeping.drop_pictures, desk.policy, now=desk.now) == (0, [])
    desk.checked(attempt, READY)
    assert desk.do(housekeeping.drop_pictures, desk.policy, now=desk.now) == (0, [])
    desk.now += desk.policy.media_ttl + 1
    assert desk.do(housekeeping.drop_pictures, desk.policy, now=desk.now) == (1, ["name"])
    assert desk.do(uploads.of_video, attempt.video_id) is None


def test_pages_show_every_video_once_newest_first(desk: JobScenario) -> None:
    made = [desk.request() for _ in range(11)]
    seen, cursor = [], None
    while True:
        page = desk.do(view.page, EVERY, cursor=cursor, limit=4)
        seen += [video.id for video in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        desk.request()
    assert seen == made[::-1]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_page_that_holds_all_names_no_next_one(desk: JobScenario, count: int) -> None:
    for _ in range(count):
        desk.request()
    page = desk.do(view.page, EVERY, cursor=None, limit=3)
    assert (len(page.items), page.next_cursor) == (count, None)


def test_pages_can_be_narrowed_to_a_status_and_to_the_provider_at_work(desk: JobScenario) -> None:
    failed = desk.generating(Provider("homedesigns"))
    desk.checked(failed, FAILED)
    fallen_back = desk.generating(job="2", choice=ProviderChoice("auto"), fallback=True)
    desk.checked(fallen_back, FAILED)
    desk.request()

    def found(status: VideoStatus | None, provider: Provider | None) -> list[str]:
        page = desk.do(view.page, Filter(status, provider), cursor=None, limit=9)
        return [video.id for video in page.items]

    assert found(VideoStatus.FAILED, None) == [failed.video_id]
    assert found(None, Provider("homedesigns")) == [fallen_back.video_id, failed.video_id]
    assert found(None, Provider("iacrea")) == []
    assert found(VideoStatus.SUBMITTING, Provider("homedesigns")) == [fallen_back.video_id]


def test_the_timeline_tells_a_whole_life_in_order(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    desk.now += 1
    desk.webhook(attempt, b"SUCCEEDED")
    desk.now += 1
    desk.accept(attempt, job="job-9")
    desk.now += 1
    desk.checked(attempt, FAILED)

    told = desk.do(timeline.of_video, attempt.video_id, now=desk.now)
    assert told is not None
    assert [entry.at for entry in told.items] == sorted(entry.at for entry in told.items)
    assert [entry.what for entry in told.items] == [
        "accepted", "provider chosen", "outcome unknown", "webhook received", "accepted by the provider",
        "event video.submitted", "failed", "credit refunded", "event video.failed",
    ]  # fmt: skip


def test_the_timeline_says_when_the_provider_is_asked_next_while_it_makes_the_video(desk: JobScenario) -> None:
    attempt = desk.generating(job="job-1")
    told = desk.do(timeline.of_video, attempt.video_id, now=desk.now)
    assert told is not None
    assert told.next_check_at == optional_rfc3339(attempt.due_at)
    desk.checked(attempt, FAILED)
    ended = desk.do(timeline.of_video, attempt.video_id, now=desk.now)
    assert ended is not None
    assert ended.next_check_at is None


def test_what_does_not_exist_is_not_shown(desk: JobScenario) -> None:
    assert desk.do(view.video, "nobody") is None
    assert desk.do(timeline.of_video, "nobody", now=desk.now) is None
    assert desk.do(attempts.get, "nobody") is None
    with pytest.raises(LookupError):
        desk.do(view.existing, "nobody")
