"""A job is timed out once it was looked at after its deadline, or its provider could be asked and said nothing."""

import pytest

from jobs import overdue
from jobs.decide import AttemptSucceeded, CheckAgain
from jobs.overdue import Watch
from jobs.policy import LATE_RESULT_SECONDS, OVERDUE_GRACE
from jobs.results import Unproven
from jobs.settle import AttemptFailed
from providers.reports import Unavailable, Working
from schemas.names import PROVIDERS, ErrorCode, Provider
from store import providers
from store.attempts import AttemptRow
from tests.support.job_scenario import READY, START, JobScenario

HOMEDESIGNS = Provider("homedesigns")


class SteadyPoller:
    """A poller that takes a step each second of its own clock, whatever the wall clock does."""

    def __init__(self, desk: JobScenario) -> None:
        self.desk = desk
        self.watch = Watch()
        self.steady = 0.0

    def step(self, seconds: float = 1.0) -> int:
        self.steady += seconds
        self.desk.now += seconds
        found = self.desk.do(overdue.find, self.desk.policy, now=self.desk.now)
        given_up = self.watch.step(self.desk.policy, found, now=self.desk.now, at=self.steady)
        return self.desk.do(overdue.give_up, self.desk.policy, given_up, now=self.desk.now)

    def steps(self, count: int, seconds: float = 1.0) -> int:
        return sum(self.step(seconds) for _ in range(count))

    def ask(self, attempt: AttemptRow) -> AttemptRow:
        """Claim a due attempt and ask; no answer comes yet."""
        [claimed] = [row for row in self.desk.due(attempt.provider) if row.id == attempt.id]
        self.watch.asked(claimed, at=self.steady)
        return claimed


@pytest.fixture
def poller(desk: JobScenario) -> SteadyPoller:
    return SteadyPoller(desk)


def code(desk: JobScenario, attempt: AttemptRow) -> ErrorCode | None:
    error = desk.video(attempt).error
    return None if error is None else error.code


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_made_while_nobody_looked_is_found(
    desk: JobScenario, poller: SteadyPoller, provider: Provider
) -> None:
    attempt = desk.generating(provider)
    desk.now += 3600
    assert poller.steps(60) == 0
    assert isinstance(desk.checked(attempt, READY), AttemptSucceeded)


def test_what_waits_for_its_turn_is_not_given_up(desk: JobScenario, poller: SteadyPoller) -> None:
    first, second = desk.generating(job="1"), desk.generating(job="2")
    desk.now += 3600
    [claimed] = desk.due(room=1)
    assert claimed.id == first.id
    for _ in range(20):
        poller.watch.asked(claimed, at=poller.steady)
        poller.watch.answered(claimed, at=poller.steady + 0.5)
        poller.step()
    assert code(desk, second) is None


def test_a_provider_that_hangs_does_not_keep_a_job_from_being_given_up(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating()
    desk.now = START + desk.policy.job_timeout - 1
    poller.ask(attempt)
    poller.steps(6)
    assert desk.told(attempt) == ["submitted", "failed"]


def test_a_provider_that_hangs_for_those_who_ask_hangs_for_all(desk: JobScenario, poller: SteadyPoller) -> None:
    asked, waiting = desk.generating(HOMEDESIGNS, job="1"), desk.generating(HOMEDESIGNS, job="2")
    other = desk.generating()
    desk.now += 3600
    [claimed] = desk.due(HOMEDESIGNS, room=1)
    poller.watch.asked(claimed, at=poller.steady)
    assert poller.steps(8) == 2
    assert (code(desk, asked), code(desk, waiting)) == (ErrorCode.TIMED_OUT, ErrorCode.TIMED_OUT)
    assert code(desk, other) is None


def test_no_answer_is_not_the_last_look_until_the_grace_is_over(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 3600
    poller.step()
    assert isinstance(desk.checked(attempt, Unavailable("no route to the host")), CheckAgain)
    assert poller.steps(int(OVERDUE_GRACE) - 1) == 0
    assert code(desk, attempt) is None
    assert poller.steps(2) == 1
    assert code(desk, attempt) is ErrorCode.TIMED_OUT


def test_a_finished_video_is_not_given_up_while_its_address_is_asked_again(
    desk: JobScenario, poller: SteadyPoller
) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 3600
    assert isinstance(
        desk.checked(attempt, Unproven(READY.urls, "the video's host took longer than 5 seconds")), CheckAgain
    )
    desk.checked(attempt, Unavailable("no route to the host"))
    assert poller.steps(20) == 0
    assert isinstance(desk.checked(attempt, READY), AttemptSucceeded)


def test_after_no_answer_it_is_asked_again_and_found(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 3600
    desk.checked(attempt, Unavailable("no route to the host"))
    assert poller.steps(2) == 0
    assert isinstance(desk.checked(attempt, READY), AttemptSucceeded)


def test_while_its_provider_wants_no_requests_nothing_is_given_up(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 3600
    desk.checked(attempt, Unavailable("429", retry_after=60, throttled=True))
    assert poller.steps(59) == 0
    poller.steps(2)
    assert isinstance(desk.checked(attempt, READY), AttemptSucceeded)


def test_while_its_provider_is_paused_for_all_nothing_is_given_up(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 3600
    desk.checked(attempt, Unavailable("503"))
    desk.do(providers.pause, HOMEDESIGNS, until=desk.now + 60)
    assert poller.steps(50) == 0


def test_a_look_of_a_dead_poller_is_no_look(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 3600
    assert [row.id for row in desk.due(HOMEDESIGNS, owner="it dies")] == [attempt.id]
    assert poller.steps(30) == 0
    assert isinstance(desk.checked(attempt, READY), AttemptSucceeded)


def test_a_look_that_began_before_the_deadline_is_not_the_last(desk: JobScenario) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now = START + desk.policy.job_timeout - 1
    [claimed] = desk.due(HOMEDESIGNS)
    asked_at = desk.now
    desk.now += 2
    from_before = desk.answered(claimed, Working(), asked_at=asked_at)
    assert isinstance(from_before, CheckAgain)
    assert from_before.due_at <= START + desk.policy.job_timeout + 5
    last = desk.checked(attempt, Working())
    assert isinstance(last, AttemptFailed)
    assert last.code is ErrorCode.TIMED_OUT


def test_a_poller_that_stood_still_counts_only_what_it_saw(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating()
    desk.now += desk.policy.job_timeout
    poller.ask(attempt)
    poller.step()
    assert poller.step(3600) == 0
    assert poller.steps(2) == 1


@pytest.mark.parametrize("desk", ["sqlite"], indirect=True)  # tens of thousands of steps
def test_what_nobody_can_ask_about_ends_after_a_day_of_watching(desk: JobScenario, poller: SteadyPoller) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.now += 10 * LATE_RESULT_SECONDS
    assert poller.steps(int(LATE_RESULT_SECONDS / 2) - 1, seconds=2) == 0
    assert poller.steps(3, seconds=2) == 1
    assert code(desk, attempt) is ErrorCode.TIMED_OUT


@pytest.mark.parametrize("before", [0.5, 1.0, 1.9, 2.5, 29.0])
def test_the_last_look_is_due_within_the_grace_of_the_deadline(desk: JobScenario, before: float) -> None:
    attempt = desk.generating(HOMEDESIGNS)
    desk.connection.execute("UPDATE attempts SET due_at = ?", (START + desk.policy.job_timeout - before,))
    desk.checked(attempt, Working())
    due_at = desk.current(attempt).due_at
    assert due_at is not None
    assert 0 <= due_at - (START + desk.policy.job_timeout) <= OVERDUE_GRACE
