"""A step of the wall clock declares nobody dead, loses no job, stops no provider and times nothing out."""

import pytest

from jobs import circuit, clock, outage, overdue, submission_claims, unconfirmed
from jobs.decide import AttemptSucceeded, CheckAgain
from jobs.policy import ABANDONED_LEASE_SECONDS, LEASE_SECONDS
from jobs.sightings import Sightings
from providers.reports import UnknownJob, Working
from schemas.names import Provider
from store import attempt_leases, circuits, open_attempts, outbox, pauses, providers
from store.attempts import AttemptRow
from store.circuits import CircuitRow
from tests.support.job_scenario import GENERATOR, POLLER, READY, START, JobScenario

HOMEDESIGNS = Provider("homedesigns")


class Observer:
    """Another generator, which looks once a second of its own clock."""

    def __init__(self, desk: JobScenario, owner: str = "observer") -> None:
        self.desk, self.owner = desk, owner
        self.sightings = Sightings()
        self.steady = 0.0

    def look(self, seconds: float = 1.0) -> list[AttemptRow]:
        self.steady += seconds
        sent = self.desk.do(open_attempts.sending, HOMEDESIGNS, now=None)
        dead = self.sightings.lapsed(sent, owner=self.owner, at=self.steady)
        now = self.desk.now
        self.desk.do(
            submission_claims.claim, self.desk.policy, HOMEDESIGNS, owner=self.owner, room=0, now=now, dead=dead
        )
        return dead


def renew(desk: JobScenario, attempt: AttemptRow) -> None:
    until = desk.now + LEASE_SECONDS
    desk.do(attempt_leases.renew_leases, [attempt.id], owner=GENERATOR, until=until)


@pytest.mark.parametrize("step", [11.0, 3600.0, -3600.0])
def test_a_living_generator_is_not_declared_dead_by_a_step(desk: JobScenario, step: float) -> None:
    attempt, observer = desk.sending(HOMEDESIGNS), Observer(desk)
    observer.look()
    desk.now += step
    for second in range(60):
        assert observer.look() == []
        desk.now += 1
        if second % 3 == 2:
            renew(desk, attempt)
    assert desk.told(attempt) == []


@pytest.mark.parametrize("step", [0.0, 3600.0, -3600.0])
def test_a_dead_one_is_found_out_within_a_lease_of_watching(desk: JobScenario, step: float) -> None:
    attempt, observer = desk.sending(HOMEDESIGNS), Observer(desk)
    desk.now += step
    for _ in range(int(LEASE_SECONDS)):
        assert observer.look() == []
    assert [row.id for row in observer.look()] == [attempt.id]
    assert desk.told(attempt) == ["failed"]


def test_an_observer_that_stood_still_saw_nobody_fail_to_renew(desk: JobScenario) -> None:
    desk.sending(HOMEDESIGNS)
    observer = Observer(desk)
    observer.look()
    assert observer.look(600) == []


def test_ones_own_submission_counts_as_dropped_only_after_a_minute(desk: JobScenario) -> None:
    desk.sending(HOMEDESIGNS)
    observer = Observer(desk, GENERATOR)
    for _ in range(int(ABANDONED_LEASE_SECONDS)):
        assert observer.look() == []
    assert len(observer.look()) == 1


def test_renewed_between_the_look_and_the_claim_by_somebody_else_it_is_not_lost(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    stale = attempt._replace(lease_owner="one that held it before")
    desk.do(submission_claims.claim, desk.policy, HOMEDESIGNS, owner="g", room=0, now=desk.now, dead=[stale])
    assert desk.told(attempt) == []


def test_only_ones_own_leases_are_renewed(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.do(attempt_leases.renew_leases, [attempt.id], owner="somebody else", until=desk.now + 1000)
    assert desk.current(attempt) == attempt


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_clock_put_back_delays_neither_checks_nor_providers(desk: JobScenario, times: int) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.do(providers.pause, HOMEDESIGNS, until=desk.now + 5)
    due_in = (desk.current(attempt).due_at or 0) - desk.now
    desk.now -= 3600
    for _ in range(times):
        desk.do(clock.put_back, 3600, now=desk.now)
    assert desk.current(attempt).due_at == pytest.approx(desk.now + due_in)
    desk.now += 6
    desk.now += due_in
    assert isinstance(desk.checked(attempt, READY), AttemptSucceeded)


@pytest.mark.parametrize("times", [1, 2])
def test_what_was_due_when_the_clock_was_put_back_is_due_at_once(desk: JobScenario, times: int) -> None:
    waiting, generating = desk.routed(), desk.generating(HOMEDESIGNS)
    desk.now = max(desk.current(each).due_at or 0 for each in (waiting, generating)) + 1
    desk.now -= 3600
    for _ in range(times):
        desk.do(clock.put_back, 3600, now=desk.now)
    assert [desk.current(each).due_at for each in (waiting, generating)] == [desk.now, desk.now]


@pytest.mark.parametrize("times", [1, 2])
def test_waiting_for_a_proof_or_a_time_out_lasts_no_longer_for_a_clock_that_was_put_back(
    desk: JobScenario, times: int
) -> None:
    doubtful, generating = desk.unconfirmed(), desk.generating(HOMEDESIGNS)

    def ages() -> tuple[float, float]:
        since, accepted_at = desk.current(doubtful).doubt_since, desk.current(generating).accepted_at
        return desk.now - (since or 0), desk.now - (accepted_at or 0)

    before = ages()
    desk.now -= 3600
    for _ in range(times):
        desk.do(clock.put_back, 3600, now=desk.now)
    assert ages() == pytest.approx(before)


def test_a_lease_that_is_renewed_after_the_step_is_not_cut_short_by_a_second_process(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.now -= 11
    desk.do(clock.put_back, 11, now=desk.now)
    renew(desk, attempt)
    desk.do(clock.put_back, 11, now=desk.now)
    assert desk.current(attempt).due_at == pytest.approx(desk.now + LEASE_SECONDS)


def test_a_refused_event_is_tried_again_at_once_after_the_clock_was_put_back(desk: JobScenario) -> None:
    desk.generating(HOMEDESIGNS)
    [event] = desk.do(outbox.sendable, now=desk.now, limit=9)
    desk.do(outbox.refuse, event, "no", retry_at=desk.now + 8)
    desk.now -= 3600
    desk.do(clock.put_back, 3600, now=desk.now)
    assert [each.seq for each in desk.do(outbox.sendable, now=desk.now, limit=9)] == [event.seq]


def mended(desk: JobScenario, ahead: float, *, machine: str | None = "here", step: float = 0.0) -> float:
    """Have a process look, by whose reckoning the wall clock is so many seconds ahead."""
    return desk.do(clock.mend, machine, step=step, ahead=ahead, now=desk.now)


def test_a_step_is_mended_once_however_many_see_it_and_though_nobody_lived_meanwhile(desk: JobScenario) -> None:
    assert mended(desk, 0.0) == 0
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 30 + 11
    assert [mended(desk, 11.0) for _ in range(3)] == [11.0, 0, 0]
    assert desk.now - (desk.current(attempt).accepted_at or 0) == pytest.approx(30)


def test_what_comes_after_a_step_and_before_it_is_mended_is_left_alone(desk: JobScenario) -> None:
    mended(desk, 0.0)
    desk.now += 11
    attempt = desk.generating(HOMEDESIGNS)
    mended(desk, 11.0)
    assert desk.current(attempt) == attempt


def test_a_clock_put_forward_and_set_right_leaves_every_age_as_it_was(desk: JobScenario) -> None:
    mended(desk, 0.0)
    doubtful, generating = desk.unconfirmed(), desk.generating(HOMEDESIGNS)
    before = [desk.current(each) for each in (doubtful, generating)]
    for ahead in (3600.0, 0.0):
        desk.now = START + ahead
        mended(desk, ahead)
    assert [(each.doubt_since, each.accepted_at) for each in before] == [
        (desk.current(each).doubt_since, desk.current(each).accepted_at) for each in (doubtful, generating)
    ]


def test_where_machines_have_no_names_only_a_clock_put_back_is_mended(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    assert mended(desk, 3600.0, machine=None, step=3600.0) == 0
    assert desk.current(attempt) == attempt
    desk.now -= 3600
    assert mended(desk, 0.0, machine=None, step=-3600.0) == -3600
    assert desk.current(attempt).accepted_at == desk.now


def put_forward(desk: JobScenario, seconds: float) -> None:
    mended(desk, 0.0)
    desk.now += seconds
    mended(desk, seconds)


def test_a_clock_put_forward_times_nothing_out_however_young_the_poller(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    put_forward(desk, 3600)
    assert isinstance(desk.checked(attempt, Working()), CheckAgain)
    assert desk.do(overdue.find, desk.policy, now=desk.now).attempts == []


def test_a_clock_put_forward_while_a_provider_is_asked_ends_nothing(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    claimed, asked_at = desk.wait_until_due(attempt), desk.now
    put_forward(desk, 3600)
    for report in (Working(), UnknownJob("404")):
        assert isinstance(desk.answered(claimed, report, asked_at=asked_at), CheckAgain | None)
    assert desk.told(attempt) == ["submitted"]


def test_a_clock_put_back_while_a_provider_is_asked_ends_nothing(desk: JobScenario) -> None:
    mended(desk, 0.0)
    attempt = desk.generating(HOMEDESIGNS)
    claimed, asked_at = desk.wait_until_due(attempt), desk.now
    desk.now -= 3600
    mended(desk, -3600.0)
    assert isinstance(desk.answered(claimed, Working(), asked_at=asked_at), CheckAgain)


def test_a_clock_put_forward_leaves_a_lost_submission_its_time_for_a_proof(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    [claimed] = [desk.wait_until_due(attempt)]
    desk.now = (attempt.doubt_since or 0) + 1
    put_forward(desk, 3600)
    desk.do(unconfirmed.keep_waiting, desk.policy, claimed, owner=POLLER, now=desk.now)
    assert desk.told(attempt) == []


def test_a_clock_put_forward_gives_up_nothing_that_waits_for_a_provider(desk: JobScenario) -> None:
    attempt = desk.routed()
    desk.do(pauses.begin, attempt.provider, caller="ops", now=desk.now)
    put_forward(desk, 3600 + desk.policy.submit_deadline)
    assert desk.do(outage.sort_out, desk.policy, {}, now=desk.now) == 0


def test_a_clock_put_forward_gives_up_nothing_that_came_late_into_a_long_pause(desk: JobScenario) -> None:
    desk.do(pauses.begin, Provider("iacrea"), caller="ops", now=desk.now - 2 * desk.policy.submit_deadline)
    desk.routed()
    put_forward(desk, desk.policy.submit_deadline)
    assert desk.do(outage.sort_out, desk.policy, {}, now=desk.now) == 0


def test_a_pause_that_ended_before_the_step_was_seen_holds_nobody_up(desk: JobScenario) -> None:
    desk.generating(HOMEDESIGNS)
    desk.do(providers.pause, HOMEDESIGNS, until=desk.now + 5)
    desk.now += 30 - 3600
    desk.do(clock.put_back, 3600, now=desk.now)
    shared = desk.do(providers.get, HOMEDESIGNS)
    assert shared is not None
    assert shared.paused_until == desk.now


def test_a_provider_that_was_away_is_tested_again_soon_after_the_clock_was_put_back(desk: JobScenario) -> None:
    desk.do(circuits.put, HOMEDESIGNS, CircuitRow(failures=5, opened_at=desk.now - 9, probe_at=desk.now + 5))
    desk.now -= 3600
    desk.do(clock.put_back, 3600, now=desk.now)
    desk.now += 5
    assert desk.do(circuit.gate, HOMEDESIGNS, now=desk.now).room == 1


def test_a_webhook_is_looked_at_soon_after_the_clock_was_put_back(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, Working())
    desk.now -= 3600
    desk.do(clock.put_back, 3600, now=desk.now)
    desk.webhook(attempt)
    assert (desk.current(attempt).due_at or 0) <= desk.now + desk.policy.poll_min
