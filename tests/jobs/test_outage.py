"""An outage is waited out: elsewhere where another provider may make the video, at the same one where none may."""

import pytest

from jobs import circuit, outage, submit, timeline
from providers.reports import Accepted, NotAcceptedYet
from schemas.names import ErrorCode, Provider, ProviderChoice, RefundStatus
from store import pauses
from store.attempts import AttemptRow, AttemptState
from tests.jobs.test_circuit import AWAY, answered, claim, go_away, row
from tests.support.job_scenario import GENERATOR, JobScenario

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")


def try_until_it_moves_on(desk: JobScenario, attempt: AttemptRow) -> int:
    """Have a provider turn an attempt away for as long as it is tried; give the number of tries."""
    tries = 0
    while desk.current(attempt).state is not AttemptState.FAILED:
        desk.now = max(desk.now, desk.current(attempt).due_at or 0, row(desk, attempt.provider).probe_at)
        [claimed] = claim(desk, attempt.provider)
        answered(desk, claimed, NotAcceptedYet("503"))
        tries += 1
    return tries


def sort_out(desk: JobScenario) -> int:
    assert desk.do(outage.shut, desk.policy, now=desk.now)
    return desk.do(outage.sort_out, desk.policy, {}, now=desk.now)


def pause(desk: JobScenario, provider: Provider = IACREA) -> None:
    assert desk.do(pauses.begin, provider, caller="ops", now=desk.now)


def test_with_another_provider_left_a_video_moves_on_after_four_tries(desk: JobScenario) -> None:
    attempt = desk.routed(choice=ProviderChoice("auto"), fallback=True)
    assert try_until_it_moves_on(desk, attempt) == 4
    assert desk.told(attempt) == ["fallback"]
    assert desk.attempt(attempt.video_id, 2).provider == HOMEDESIGNS


def test_fewer_tries_are_fewer(desk: JobScenario) -> None:
    desk.under(submit_attempts=2)
    assert try_until_it_moves_on(desk, desk.routed(choice=ProviderChoice("auto"), fallback=True)) == 2


@pytest.mark.parametrize("attempts", [3, 7, 20])
def test_without_one_it_is_tried_as_often_as_the_operator_allows(desk: JobScenario, attempts: int) -> None:
    desk.under(submit_attempts=attempts)
    attempt = desk.routed()
    assert try_until_it_moves_on(desk, attempt) == attempts
    error = desk.video(attempt).error
    assert error is not None
    assert error.code is ErrorCode.PROVIDER_UNAVAILABLE
    assert "503" in error.message


def test_no_try_is_made_after_the_deadline(desk: JobScenario) -> None:
    desk.under(submit_deadline=100, submit_attempts=100)
    began = desk.now
    attempt = desk.routed()
    try_until_it_moves_on(desk, attempt)
    assert 60 <= desk.now - began <= 100


def test_the_last_provider_is_waited_for_to_the_end(desk: JobScenario) -> None:
    first = desk.routed(choice=ProviderChoice("auto"), fallback=True)
    try_until_it_moves_on(desk, first)
    assert try_until_it_moves_on(desk, desk.attempt(first.video_id, 2)) == 20


def test_what_waits_and_may_go_elsewhere_goes_when_its_provider_is_away(desk: JobScenario) -> None:
    desk.routed(choice=ProviderChoice("iacrea"), fallback=True)
    stays = desk.routed(choice=ProviderChoice("iacrea"), fallback=False)
    moves = desk.routed(choice=ProviderChoice("iacrea"), fallback=True)
    desk.now += 0.1
    go_away(desk)
    assert desk.current(moves).tries == 1  # it was under way already

    later = desk.routed(choice=ProviderChoice("iacrea"), fallback=True)
    assert sort_out(desk) == 3
    assert desk.told(moves) == ["fallback"]
    assert desk.attempt(later.video_id, 2).provider == HOMEDESIGNS
    assert desk.told(later) == ["fallback"]
    assert desk.shown(later).refund is not None
    assert desk.shown(later).refund.status is RefundStatus.NOT_CHARGED  # type: ignore[union-attr]  # asserted above
    assert desk.current(stays).state is AttemptState.WAITING
    assert sort_out(desk) == 0


def test_however_much_must_stay_what_may_go_elsewhere_has_its_turn(
    desk: JobScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "LOOKED_AT_ONCE", 3)
    pause(desk)
    for _ in range(7):  # all at the same time, as a mended clock may leave them
        desk.routed(choice=ProviderChoice("iacrea"), fallback=False)
    moves = desk.routed(choice=ProviderChoice("iacrea"), fallback=True)
    places: outage.Places = {}
    moved = [desk.do(outage.sort_out, desk.policy, places, now=desk.now) for _ in range(6)]
    assert sum(moved) == 1
    assert desk.told(moves) == ["fallback"]
    again = desk.routed(choice=ProviderChoice("iacrea"), fallback=True)
    for _ in range(3):
        desk.do(outage.sort_out, desk.policy, places, now=desk.now)
    assert desk.told(again) == ["fallback"]


def test_nothing_goes_to_a_provider_that_is_away_too(desk: JobScenario) -> None:
    go_away(desk)
    pause(desk, HOMEDESIGNS)
    waits = desk.routed(choice=ProviderChoice("iacrea"), fallback=True)
    assert sort_out(desk) == 0
    assert desk.current(waits).state is AttemptState.WAITING


def test_what_tests_a_provider_is_left_to_it(desk: JobScenario) -> None:
    go_away(desk)
    desk.now = row(desk).probe_at
    tests_it = desk.routed(choice=ProviderChoice("iacrea"), fallback=True)
    assert not desk.do(outage.shut, desk.policy, now=desk.now)
    desk.do(outage.sort_out, desk.policy, {}, now=desk.now)
    assert desk.current(tests_it).state is AttemptState.WAITING


def test_a_probe_that_fails_moves_on_at_once_where_it_may(desk: JobScenario) -> None:
    go_away(desk)
    desk.now = row(desk).probe_at
    for waiting in range(6):  # those that failed before wait for their next try
        desk.routed(choice=ProviderChoice("iacrea"), fallback=True, metadata={"number": str(waiting)})
    [probe] = claim(desk)
    answered(desk, probe, AWAY)
    video = desk.video(probe)
    assert len(video.attempts) == (2 if desk.told(probe) == ["fallback"] else 1)


@pytest.mark.parametrize("why", [go_away, pause])
def test_waiting_ends_with_the_deadline(desk: JobScenario, why: object) -> None:
    desk.under(submit_deadline=100)
    why(desk)  # type: ignore[operator]  # both are functions
    waiting = desk.routed()
    desk.now += 99
    if why is go_away:
        [probe] = claim(desk)
        answered(desk, probe, AWAY)
    sort_out(desk)
    assert desk.current(waiting).state is AttemptState.WAITING
    desk.now += 1.5
    sort_out(desk)
    error = desk.video(waiting).error
    assert error is not None
    assert error.code is ErrorCode.PROVIDER_UNAVAILABLE
    assert "waited 100 s" in error.message
    assert desk.told(waiting) == ["failed"]


def test_a_long_queue_is_no_waiting_for_an_outage(desk: JobScenario) -> None:
    waiting = desk.routed()
    desk.now += 10 * desk.policy.submit_deadline
    go_away(desk)
    sort_out(desk)
    assert desk.current(waiting).state is AttemptState.WAITING
    assert desk.current(waiting).tries == 1


def test_a_paused_provider_gets_nothing_new_and_its_jobs_are_still_looked_at(desk: JobScenario) -> None:
    running = desk.generating(job="job-1")
    pause(desk)
    desk.routed()
    assert claim(desk) == []
    assert desk.wait_until_due(running).id == running.id
    assert desk.routed(choice=ProviderChoice("auto")).provider == HOMEDESIGNS

    assert desk.do(pauses.end, IACREA)
    assert len(claim(desk)) == 1


def test_pausing_twice_is_pausing_once(desk: JobScenario) -> None:
    pause(desk)
    since = desk.now
    desk.now += 5
    assert not desk.do(pauses.begin, IACREA, caller="somebody else", now=desk.now)
    kept = desk.do(pauses.get, IACREA)
    assert kept is not None
    assert (kept.since, kept.caller) == (since, "ops")
    assert desk.do(pauses.end, IACREA)
    assert not desk.do(pauses.end, IACREA)


def test_a_pause_of_the_operator_outlasts_the_outage(desk: JobScenario) -> None:
    go_away(desk)
    pause(desk)
    desk.now = row(desk).probe_at
    desk.routed()
    assert claim(desk) == []
    assert desk.do(circuit.gate, IACREA, now=desk.now).paused


def test_the_timeline_says_what_a_video_waits_for_and_afterwards_what_it_waited_for(desk: JobScenario) -> None:
    go_away(desk)
    attempt = desk.routed()
    told = desk.do(timeline.of_video, attempt.video_id, now=desk.now)
    assert told is not None
    [waits] = [entry for entry in told.items if entry.what == "waits"]
    assert waits.detail == "iacrea has been away since 22:13 UTC (it is away)"

    desk.now += 300
    while desk.current(attempt).state is AttemptState.WAITING:
        for claimed in claim(desk):
            desk.do(submit.send, claimed.id, owner=GENERATOR, now=desk.now)
            desk.do(circuit.note_answer, claimed, Accepted("job"), now=desk.now)
        desk.now += 0.5
    told = desk.do(timeline.of_video, attempt.video_id, now=desk.now)
    assert told is not None
    assert [entry.detail for entry in told.items if entry.what == "waits"] == []
    assert [entry.detail for entry in told.items if entry.what == "waited"] == [
        "iacrea was away from 22:13 UTC to 22:18 UTC"
    ]


def test_a_video_that_came_after_the_outage_tells_nothing_of_it(desk: JobScenario) -> None:
    go_away(desk)
    desk.now += 300
    [probe, *_] = claim(desk)
    answered(desk, probe, Accepted("job"))
    desk.now += 1
    later = desk.routed()
    claim(desk)
    told = desk.do(timeline.of_video, later.video_id, now=desk.now)
    assert told is not None
    assert "waited" not in [entry.what for entry in told.items]
