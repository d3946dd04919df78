"""A row that this release cannot read harms only itself: it is put aside, told, and later taken back."""

import pytest

from jobs import assignment, check_claims, overdue, quarantine, submission_claims
from schemas.names import Provider
from store import unreadable
from tests.support.job_scenario import GENERATOR, READY, JobScenario

HOMEDESIGNS = Provider("homedesigns")


def spoil(desk: JobScenario, video_id: str, motion: str = "orbit") -> None:
    """Write a motion as a newer release would."""
    desk.connection.execute("UPDATE videos SET motion = ? WHERE id = ?", (motion, video_id))


def aside(desk: JobScenario) -> list[str]:
    return [row.id for row in desk.do(unreadable.listed, limit=100)]


def test_a_video_that_cannot_be_read_keeps_no_other_from_being_routed(desk: JobScenario) -> None:
    ids = [desk.request() for _ in range(5)]
    spoil(desk, ids[0])
    desk.do(assignment.route, desk.policy, now=desk.now)
    assert [desk.video(desk.attempt(video_id)).status for video_id in ids[1:]] == ["submitting"] * 4
    assert aside(desk) == [ids[0]]
    assert desk.do(assignment.route, desk.policy, now=desk.now) == 0


def test_a_hundred_of_them_do_not_fill_the_head_of_the_queue(desk: JobScenario) -> None:
    for _ in range(assignment.ROUTED_AT_ONCE):
        spoil(desk, desk.request())
    good = desk.request()
    desk.do(assignment.route, desk.policy, now=desk.now)
    assert desk.do(assignment.route, desk.policy, now=desk.now) == 1
    assert desk.video(desk.attempt(good)).status == "submitting"


def test_an_attempt_whose_video_cannot_be_read_keeps_no_other_from_being_submitted(desk: JobScenario) -> None:
    bad, good = desk.routed(), desk.routed()
    spoil(desk, bad.video_id)
    found = desk.do(submission_claims.claim, desk.policy, Provider("iacrea"), owner=GENERATOR, room=9, now=desk.now)
    assert [attempt.id for attempt, _ in found.work] == [good.id]
    assert aside(desk) == [bad.id]


def test_an_orphan_that_cannot_be_read_keeps_no_other_from_being_lost(desk: JobScenario) -> None:
    bad, good = desk.sending(HOMEDESIGNS), desk.sending(HOMEDESIGNS)
    spoil(desk, bad.video_id)
    desk.now += 60
    dead = desk.dead(HOMEDESIGNS)
    desk.do(submission_claims.claim, desk.policy, HOMEDESIGNS, owner="another", room=9, now=desk.now, dead=dead)
    assert desk.told(good) == ["failed"]
    assert aside(desk) == [bad.id]


@pytest.mark.parametrize(("column", "word"), [("error_code", "melted"), ("output_urls", "{"), ("refund_status", "iou")])
def test_an_attempt_that_cannot_be_read_keeps_no_other_from_being_checked(
    desk: JobScenario, column: str, word: str
) -> None:
    bad, good = desk.generating(job="1"), desk.generating(job="2")
    desk.connection.execute(f"UPDATE attempts SET {column} = ? WHERE id = ?", (word, bad.id))  # noqa: S608 - our own columns
    desk.now += desk.policy.webhook_grace
    [claimed] = desk.due()
    assert claimed.id == good.id
    desk.learn(claimed, READY)
    assert desk.video(good).status == "ready"
    assert aside(desk) == [bad.id]
    assert desk.do(
        check_claims.claim, desk.policy, Provider("iacrea"), owner="p", room=9, now=desk.now
    ) == check_claims.Claim([], None)


def test_one_that_cannot_be_read_keeps_no_other_from_being_given_up(desk: JobScenario) -> None:
    bad, good = desk.generating(job="1"), desk.generating(job="2")
    spoil(desk, bad.video_id)
    desk.now += desk.policy.job_timeout
    assert desk.do(overdue.give_up, desk.policy, [bad.id, good.id], now=desk.now) == 1
    assert desk.told(good) == ["submitted", "failed"]
    assert aside(desk) == [bad.id]


def test_what_was_put_aside_is_told_until_it_can_be_read_and_then_goes_on(desk: JobScenario) -> None:
    bad = desk.routed()
    spoil(desk, bad.video_id)
    desk.do(submission_claims.claim, desk.policy, Provider("iacrea"), owner=GENERATOR, room=9, now=desk.now)
    [told] = desk.do(quarantine.review)
    assert (told.kind, told.id) == ("attempt", bad.id)
    assert "orbit" in told.reason

    spoil(desk, bad.video_id, "zoom_in")
    assert desk.do(quarantine.review) == []
    found = desk.do(submission_claims.claim, desk.policy, Provider("iacrea"), owner=GENERATOR, room=9, now=desk.now)
    assert [attempt.id for attempt, _ in found.work] == [bad.id]
