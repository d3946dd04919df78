"""What nobody reads any more is dropped: bodies, not the rows that say what happened."""

from typing import Any

from jobs import feed, housekeeping
from jobs.pruning import EVENTS_KEPT, WEBHOOKS_KEPT
from schemas.event import Event
from store import outbox, webhooks
from store.attempts import AttemptRow
from store.webhooks import Delivery
from tests.support.job_scenario import READY, JobScenario


def waiting(desk: JobScenario) -> list[tuple[str, str, str]]:
    """Read id, type and body of what waits to be published."""
    sql = "SELECT event_id, type, body FROM outbox WHERE published_at IS NULL ORDER BY seq"
    return desk.connection.execute(sql).fetchall()


def publish(desk: JobScenario) -> None:
    told = desk.do(outbox.after, seq=0, limit=10_000)
    desk.do(outbox.mark_published, [event.seq for event in told], now=desk.now)


def sweep(desk: JobScenario) -> None:
    while desk.do(housekeeping.sweep, now=desk.now):
        pass


def finished(desk: JobScenario, **fields: Any) -> AttemptRow:
    attempt = desk.generating(job=f"job-{desk.now}", **fields)
    desk.webhook(attempt, b'{"generation_id": "job-1"}')
    desk.checked(attempt, READY)
    return attempt


def test_after_a_week_a_video_keeps_the_event_of_its_end_alone(desk: JobScenario) -> None:
    attempt = finished(desk)
    before = desk.events(attempt)
    publish(desk)
    desk.now += EVENTS_KEPT - 1
    sweep(desk)
    assert desk.events(attempt) == before
    desk.now += 2
    sweep(desk)
    assert desk.told(attempt) == ["ready"]
    shown = desk.do(feed.of_video, attempt.video_id)
    assert shown is not None
    assert [event.type for event in shown.items] == ["video.ready"]


def test_an_end_that_is_delivered_again_after_a_year_has_the_same_id_and_bytes(desk: JobScenario) -> None:
    attempt = finished(desk)
    told = [event for event in waiting(desk) if event[1] == "video.ready"]
    publish(desk)
    desk.now += 365 * 86400
    sweep(desk)
    assert desk.do(feed.redeliver, attempt.video_id) == told[0][0]
    assert waiting(desk) == told
    Event.model_validate_json(told[0][2])


def test_what_was_never_published_is_kept_however_old(desk: JobScenario) -> None:
    finished(desk)
    before = waiting(desk)
    desk.now += 10 * EVENTS_KEPT
    sweep(desk)
    assert waiting(desk) == before
    assert len(before) == 2


def test_the_bodies_of_webhooks_go_when_nobody_watches_any_more(desk: JobScenario) -> None:
    attempt = finished(desk)
    desk.now += WEBHOOKS_KEPT - 10
    sweep(desk)
    assert [kept.body for kept in desk.do(webhooks.of_attempt, attempt.id)] == [b'{"generation_id": "job-1"}']
    desk.now += 20
    sweep(desk)
    assert [(kept.body, kept.size) for kept in desk.do(webhooks.of_attempt, attempt.id)] == [(None, 26)]


def test_a_sweep_looks_at_a_bounded_number_of_rows_and_goes_on_where_it_was(desk: JobScenario) -> None:
    for _ in range(150):
        finished(desk)
        desk.now += 1
    publish(desk)
    desk.now += 2 * EVENTS_KEPT
    assert desk.do(housekeeping.sweep, now=desk.now) > 0
    assert len(desk.bodies()) > 150
    sweep(desk)
    assert len(desk.bodies()) == 150
    assert desk.credits().spent == 150


def test_a_sweep_holds_others_up_for_a_few_rows_of_one_kind_only(desk: JobScenario) -> None:
    for number in range(3):
        finished(desk, idempotency_key=f"key {number}")
    many = [Delivery("no such attempt", b"{}", 2, None)] * (2 * housekeeping.ROWS_AT_ONCE)
    desk.do(webhooks.record, many, now=desk.now)
    publish(desk)
    desk.now += 30 * 86400
    desk.due(room=0)
    sweeps = []
    while rows := desk.do(housekeeping.sweep, now=desk.now):
        sweeps.append(rows)
    assert max(sweeps) <= housekeeping.ROWS_AT_ONCE
    assert len(sweeps) >= 5


def test_a_sweep_counts_rows_where_numbers_are_missing_between_them(desk: JobScenario) -> None:
    many = [Delivery("no such attempt", b"{}", 2, None)] * (2 * housekeeping.ROWS_AT_ONCE)
    desk.do(webhooks.record, many, now=desk.now)
    desk.connection.execute("DELETE FROM webhooks WHERE id < (SELECT MAX(id) FROM webhooks)")
    desk.now += 2 * WEBHOOKS_KEPT
    assert desk.do(housekeeping.sweep, now=desk.now) == 1
    assert desk.do(housekeeping.sweep, now=desk.now) == 0
