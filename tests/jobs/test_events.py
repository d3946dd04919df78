"""A video's events are finished documents with ids of their own, in the order of what happened; one is terminal."""

import pytest

from jobs import events, feed, submission_claims, submit
from schemas.event import Event
from schemas.names import EventType, Provider, ProviderChoice
from store import outbox
from tests.support.job_scenario import FAILED, GENERATOR, READY, JobScenario


def test_both_terminal_types_share_the_one_id_of_their_video() -> None:
    ready = events.event_id("v", EventType.READY, 1)
    assert ready == events.event_id("v", EventType.FAILED, 2)
    assert ready != events.event_id("w", EventType.READY, 1)


def test_every_other_event_has_an_id_of_its_type_and_attempt() -> None:
    others = [EventType.SUBMITTED, EventType.FALLBACK, EventType.LATE]
    ids = {events.event_id("v", event_type, attempt) for event_type in others for attempt in (1, 2)}
    assert len(ids | {events.event_id("v", EventType.READY, 1)}) == 7


def test_the_events_of_a_long_life_come_in_its_order(desk: JobScenario) -> None:
    attempt = desk.generating(choice=ProviderChoice("auto"), fallback=True)
    desk.checked(attempt, FAILED)
    second = desk.attempt(attempt.video_id, 2)
    desk.do(submission_claims.claim, desk.policy, Provider("homedesigns"), owner=GENERATOR, room=1, now=desk.now)
    desk.do(submit.send, second.id, owner=GENERATOR, now=desk.now)
    desk.accept(second, job="2")
    desk.checked(second, READY)

    assert desk.told(attempt) == ["submitted", "fallback", "submitted", "ready"]
    assert desk.routing_keys() == [
        "video.submitted.iacrea", "video.fallback.iacrea", "video.submitted.homedesigns", "video.ready.homedesigns",
    ]  # fmt: skip
    assert len({event["id"] for event in desk.bodies()}) == 4


def test_an_event_is_a_whole_document_with_the_video_of_that_moment(desk: JobScenario) -> None:
    attempt = desk.generating(metadata={"Zimmer": "Küche ✓"})
    submitted = Event.model_validate(desk.events(attempt)[0])
    assert submitted.data == desk.video(attempt)
    assert submitted.subject == attempt.video_id
    assert submitted.data.metadata == {"Zimmer": "Küche ✓"}

    desk.checked(attempt, READY)
    assert desk.events(attempt)[0] == submitted.model_dump(mode="json")


def test_announcing_again_changes_neither_id_nor_bytes(desk: JobScenario) -> None:
    attempt = desk.generating()
    before = desk.bodies()
    desk.now += 5
    desk.do(events.announce, attempt.video_id, EventType.SUBMITTED, attempt=1, now=desk.now)
    assert desk.bodies() == before


def test_redelivery_publishes_the_same_bytes_under_the_same_id(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    stored = desk.do(feed.after, 0)
    desk.do(outbox.mark_published, [event.seq for event in stored], now=desk.now)
    assert desk.do(outbox.sendable, now=desk.now, limit=10) == []

    event_id = desk.do(feed.redeliver, attempt.video_id)
    assert desk.do(outbox.sendable, now=desk.now, limit=10) == [stored[-1]]
    assert event_id == stored[-1].event_id


@pytest.mark.parametrize("which", ["without its end", "that does not exist"])
def test_a_video_without_a_terminal_event_cannot_be_redelivered(desk: JobScenario, which: str) -> None:
    attempt = desk.generating()
    video_id = attempt.video_id if which == "without its end" else "nobody"
    assert desk.do(feed.redeliver, video_id) is None


def test_a_subscriber_reads_on_from_the_event_that_it_saw_last(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    first, second = desk.do(feed.after, 0)

    assert desk.do(feed.after, desk.do(feed.place_of, first.event_id)) == [second]
    assert desk.do(feed.after, desk.do(feed.place_of, None)) == []
    assert desk.do(feed.after, desk.do(feed.place_of, "an id of long ago")) == []


def test_the_overview_counts_what_waits(desk: JobScenario) -> None:
    done = desk.generating()
    desk.checked(done, READY)
    desk.generating(job="2")
    desk.request()
    [first] = desk.do(outbox.sendable, now=desk.now, limit=1)
    desk.do(outbox.refuse, first, "NO_ROUTE", retry_at=desk.now + 1)

    overview = desk.do(feed.overview)
    assert overview.backlog.count == 3
    assert overview.backlog.refused == 2
    assert overview.backlog.oldest_at == first.created_at
    assert overview.backlog.last_error == "NO_ROUTE"
    assert overview.open_videos == {"accepted": 1, "generating": 1}


def test_of_a_videos_events_only_the_oldest_may_be_sent(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    first, second = desk.do(feed.after, 0)

    assert desk.do(outbox.sendable, now=desk.now, limit=10) == [first]
    desk.do(outbox.mark_published, [first.seq], now=desk.now)
    assert desk.do(outbox.sendable, now=desk.now, limit=10) == [second]


def test_a_refused_event_waits_and_with_it_what_follows_in_its_video(desk: JobScenario) -> None:
    attempt = desk.generating()
    [first] = desk.do(outbox.sendable, now=desk.now, limit=10)
    retry_at = desk.now + 1000
    desk.do(outbox.refuse, first, "NACK", retry_at=retry_at)
    desk.checked(attempt, READY)
    other = desk.generating(job="2")

    assert [event.video_id for event in desk.do(outbox.sendable, now=retry_at - 1, limit=10)] == [other.video_id]
    again, *_ = desk.do(outbox.sendable, now=retry_at, limit=10)
    assert again == first._replace(refusals=1)
    desk.do(outbox.mark_published, [first.seq], now=desk.now)
    following, *_ = desk.do(outbox.sendable, now=retry_at, limit=10)
    assert (following.video_id, following.type) == (attempt.video_id, EventType.READY)


def test_redelivery_waits_for_no_time_of_an_earlier_refusal(desk: JobScenario) -> None:
    attempt = desk.generating()
    [submitted] = desk.do(outbox.sendable, now=desk.now, limit=10)
    desk.do(outbox.mark_published, [submitted.seq], now=desk.now)
    desk.checked(attempt, READY)
    [ready] = desk.do(outbox.sendable, now=desk.now, limit=10)
    desk.do(outbox.refuse, ready, "NACK", retry_at=desk.now + 3600)
    assert desk.do(outbox.sendable, now=desk.now, limit=10) == []

    desk.do(feed.redeliver, attempt.video_id)
    assert desk.do(outbox.sendable, now=desk.now, limit=10) == [ready]


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)  # the plan is SQLite's
@pytest.mark.parametrize("retry", ["= 0", "> 0"])
def test_finding_what_may_be_sent_steps_over_nothing_that_waits(desk: JobScenario, retry: str) -> None:
    sql = f"EXPLAIN QUERY PLAN SELECT seq FROM outbox WHERE published_at IS NULL AND retry_at {retry}"  # noqa: S608
    order = " ORDER BY seq LIMIT 1" if retry == "= 0" else " AND retry_at <= 5 ORDER BY retry_at, created_at LIMIT 1"
    plan = desk.do(lambda tx: [row[3] for row in tx.execute(sql + order).fetchall()])
    index = "outbox_unpublished" if retry == "= 0" else "outbox_refused"
    assert len(plan) == 1
    assert index in plan[0]
