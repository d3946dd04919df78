"""A video's events are finished documents with ids of their own, in the order of what happened; one is terminal."""

import pytest

from jobs import events, feed, submit
from schemas.event import Event
from schemas.names import EventType, Provider, ProviderChoice
from store import outbox
from tests.jobs.desk import FAILED, GENERATOR, READY, Desk


def test_both_terminal_types_share_the_one_id_of_their_video() -> None:
    ready = events.event_id("v", EventType.READY, 1)
    assert ready == events.event_id("v", EventType.FAILED, 2)
    assert ready != events.event_id("w", EventType.READY, 1)


def test_every_other_event_has_an_id_of_its_type_and_attempt() -> None:
    others = [EventType.SUBMITTED, EventType.FALLBACK, EventType.LATE]
    ids = {events.event_id("v", event_type, attempt) for event_type in others for attempt in (1, 2)}
    assert len(ids | {events.event_id("v", EventType.READY, 1)}) == 7


def test_the_events_of_a_long_life_come_in_its_order(desk: Desk) -> None:
    attempt = desk.generating(choice=ProviderChoice.AUTO, fallback=True)
    desk.checked(attempt, FAILED)
    second = desk.attempt(attempt.video_id, 2)
    desk.do(submit.claim, desk.policy, Provider.HOMEDESIGNS, owner=GENERATOR, room=1, now=desk.now)
    desk.do(submit.send, second.id, owner=GENERATOR, now=desk.now)
    desk.accept(second, job="2")
    desk.checked(second, READY)

    assert desk.told(attempt) == ["submitted", "fallback", "submitted", "ready"]
    assert desk.routing_keys() == [
        "video.submitted.iacrea", "video.fallback.iacrea", "video.submitted.homedesigns", "video.ready.homedesigns",
    ]  # fmt: skip
    assert len({event["id"] for event in desk.bodies()}) == 4


def test_an_event_is_a_whole_document_with_the_video_of_that_moment(desk: Desk) -> None:
    attempt = desk.generating(metadata={"Zimmer": "Küche ✓"})
    submitted = Event.model_validate(desk.events(attempt)[0])
    assert submitted.data == desk.video(attempt)
    assert submitted.subject == attempt.video_id
    assert submitted.data.metadata == {"Zimmer": "Küche ✓"}

    desk.checked(attempt, READY)
    assert desk.events(attempt)[0] == submitted.model_dump(mode="json")


def test_announcing_again_changes_neither_id_nor_bytes(desk: Desk) -> None:
    attempt = desk.generating()
    before = desk.bodies()
    desk.now += 5
    announced = desk.do(events.announce, attempt.video_id, EventType.SUBMITTED, attempt=1, now=desk.now)
    assert not announced
    assert desk.bodies() == before


def test_redelivery_publishes_the_same_bytes_under_the_same_id(desk: Desk) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    stored = desk.do(outbox.unpublished, limit=10)
    desk.do(outbox.mark_published, [event.seq for event in stored], now=desk.now)
    assert desk.do(outbox.unpublished, limit=10) == []

    event_id = desk.do(feed.redeliver, attempt.video_id)
    assert desk.do(outbox.unpublished, limit=10) == [stored[-1]]
    assert event_id == stored[-1].event_id


@pytest.mark.parametrize("which", ["without its end", "that does not exist"])
def test_a_video_without_a_terminal_event_cannot_be_redelivered(desk: Desk, which: str) -> None:
    attempt = desk.generating()
    video_id = attempt.video_id if which == "without its end" else "nobody"
    assert desk.do(feed.redeliver, video_id) is None


def test_a_subscriber_reads_on_from_the_event_that_it_saw_last(desk: Desk) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    first, second = desk.do(feed.after, 0)

    assert desk.do(feed.after, desk.do(feed.place_of, first.event_id)) == [second]
    assert desk.do(feed.after, desk.do(feed.place_of, None)) == []
    assert desk.do(feed.after, desk.do(feed.place_of, "an id of long ago")) == []


def test_the_overview_counts_what_waits(desk: Desk) -> None:
    done = desk.generating()
    desk.checked(done, READY)
    desk.generating(job="2")
    desk.request()
    [first, *_] = desk.do(outbox.unpublished, limit=1)
    desk.do(outbox.note_error, first.seq, "NO_ROUTE")

    overview = desk.do(feed.overview)
    assert overview.backlog.count == 3
    assert overview.backlog.oldest_at == first.created_at
    assert overview.backlog.last_error == "NO_ROUTE"
    assert overview.open_videos == {"accepted": 1, "generating": 1}
