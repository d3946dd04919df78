"""A provider that keeps failing is left alone, tested by one submission at a time, and comes back by itself."""

from dataclasses import replace

import pytest

from jobs import assignment, circuit, fetching, submission_claims, submit
from jobs.circuit import Change
from providers.reports import Accepted, NotAcceptedYet, OutcomeUnknown, Refused, SubmissionOutcome
from schemas.names import ErrorCode, Provider, ProviderChoice
from schemas.status import CircuitState
from store import circuits
from store.attempts import AttemptRow, AttemptState
from store.circuits import CircuitRow
from tests.support.job_scenario import GENERATOR, JobScenario

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")
AWAY = NotAcceptedYet("it is away")
FAILURES_TO_OPEN = circuit.failures_to_open(IACREA)


def claim(
    desk: JobScenario, provider: Provider = IACREA, *, owner: str = GENERATOR, room: int = 100
) -> list[AttemptRow]:
    found = desk.do(submission_claims.claim, desk.policy, provider, owner=owner, room=room, now=desk.now)
    return [attempt for attempt, _ in found.work]


def answered(desk: JobScenario, attempt: AttemptRow, answer: SubmissionOutcome) -> Change | None:
    """Send an attempt, and record what the provider answered, as the generator does."""
    assert desk.do(submit.send, attempt.id, owner=GENERATOR, now=desk.now)
    change = desk.do(circuit.note_answer, attempt, answer, now=desk.now)
    match answer:
        case NotAcceptedYet():
            desk.do(submit.not_accepted, desk.policy, attempt, answer, owner=GENERATOR, now=desk.now)
        case Refused():
            desk.do(submit.refused, desk.policy, attempt, answer, owner=GENERATOR, now=desk.now)
        case Accepted():
            desk.do(submit.accepted, desk.policy, attempt, answer, sent_at=desk.now, now=desk.now)
        case OutcomeUnknown(message):
            desk.do(submit.mark_outcome_unknown, desk.policy, attempt, message, owner=GENERATOR, now=desk.now)
    return change


def state(desk: JobScenario, provider: Provider = IACREA) -> CircuitState:
    return circuit.state_of(row(desk, provider), now=desk.now)


def row(desk: JobScenario, provider: Provider = IACREA) -> CircuitRow:
    return desk.do(circuits.get, provider)


def go_away(desk: JobScenario, answer: SubmissionOutcome = AWAY) -> list[AttemptRow]:
    """Have as many submissions fail as it takes; give those attempts."""
    for _ in range(FAILURES_TO_OPEN):
        desk.routed()
    failed = claim(desk)
    changes = [answered(desk, attempt, answer) for attempt in failed]
    assert [change for change in changes if change] == [Change(CircuitState.OPEN, "it is away")]
    assert changes.index(Change(CircuitState.OPEN, "it is away")) == FAILURES_TO_OPEN - 1
    return failed


@pytest.mark.parametrize("answer", [AWAY, NotAcceptedYet("it is away", retry_after=7), OutcomeUnknown("it is away")])
def test_failures_in_a_row_open_it(desk: JobScenario, answer: SubmissionOutcome) -> None:
    go_away(desk, answer)
    assert state(desk) is CircuitState.OPEN


@pytest.mark.parametrize(
    "answer",
    [
        Accepted("job-1"),
        Refused(ErrorCode.REQUEST_REJECTED, "400"),
        NotAcceptedYet("429", retry_after=1, throttled=True),
    ],
)
def test_a_provider_that_answers_is_not_away(desk: JobScenario, answer: SubmissionOutcome) -> None:
    for turn in range(2):
        for _ in range(FAILURES_TO_OPEN - 1):
            desk.routed()
        for attempt in claim(desk, room=FAILURES_TO_OPEN - 1):
            answered(desk, attempt, AWAY)
        desk.routed()
        [attempt] = claim(desk, room=1)
        unlike = replace(answer, provider_job_id=f"job-{turn}") if isinstance(answer, Accepted) else answer
        assert answered(desk, attempt, unlike) is None
        desk.now += 60
    assert state(desk) is CircuitState.CLOSED


def test_an_accounts_limit_is_no_failure(desk: JobScenario) -> None:
    for _ in range(3 * FAILURES_TO_OPEN):
        desk.routed()
        [attempt] = claim(desk, room=1)
        answered(desk, attempt, NotAcceptedYet("429", throttled=True))
        desk.now += 61
    assert state(desk) is CircuitState.CLOSED


def test_what_waits_for_an_open_circuit_uses_up_no_tries(desk: JobScenario) -> None:
    go_away(desk)
    waiting = desk.routed()
    for _ in range(100):
        assert claim(desk) == [] or desk.now > desk.current(waiting).due_at  # type: ignore[operator]  # it waits
        desk.now += 0.005
    assert desk.current(waiting).tries == 0
    assert desk.current(waiting).state is AttemptState.WAITING


def test_one_attempt_at_a_time_tests_whether_it_is_back(desk: JobScenario) -> None:
    go_away(desk)
    for _ in range(5):
        desk.routed()
    desk.now = row(desk).probe_at
    assert state(desk) is CircuitState.HALF_OPEN

    probes = claim(desk)
    assert len(probes) == 1
    assert claim(desk, owner="generator-2") == []
    assert answered(desk, probes[0], AWAY) == Change(CircuitState.OPEN, "it is away")
    assert claim(desk, owner="generator-2") == []


def test_the_tests_become_more_seldom_up_to_one_a_minute(desk: JobScenario) -> None:
    go_away(desk)
    gaps = []
    for _ in range(9):
        desk.routed()
        gaps.append(row(desk).probe_at - desk.now)
        desk.now = row(desk).probe_at
        [probe] = claim(desk)
        answered(desk, probe, AWAY)
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_test_is_not_made_before_the_provider_wants_one(desk: JobScenario) -> None:
    go_away(desk, NotAcceptedYet("it is away", retry_after=45))
    desk.now += 44.9
    desk.routed()
    assert claim(desk) == []
    desk.now += 0.1
    assert len(claim(desk)) == 1


def test_a_success_closes_it_for_all(desk: JobScenario) -> None:
    go_away(desk)
    for _ in range(5):
        desk.routed()
    desk.now = row(desk).probe_at
    [probe] = claim(desk)
    assert answered(desk, probe, Accepted("job-1")) == Change(CircuitState.CLOSED, None)
    assert state(desk) is CircuitState.CLOSED
    assert len(claim(desk, owner="generator-2")) >= 4


def test_a_probe_whose_process_died_blocks_nobody(desk: JobScenario) -> None:
    go_away(desk)
    desk.routed()
    desk.routed()
    desk.now = row(desk).probe_at
    [probe] = claim(desk)
    assert desk.do(submit.send, probe.id, owner=GENERATOR, now=desk.now)
    desk.now += 10
    dead = desk.dead(probe.provider)
    [(another, _)] = desk.do(
        submission_claims.claim, desk.policy, probe.provider, owner="generator-2", room=8, now=desk.now, dead=dead
    ).work
    assert another.id != probe.id
    assert desk.current(probe).state is AttemptState.UNCONFIRMED


def test_a_probe_that_was_given_back_blocks_nobody(desk: JobScenario) -> None:
    go_away(desk)
    desk.routed()
    desk.now = row(desk).probe_at
    [probe] = claim(desk)
    desk.do(submit.release, probe.id, owner=GENERATOR, now=desk.now)
    assert len(claim(desk, owner="generator-2")) == 1


def test_what_was_under_way_when_it_opened_puts_off_no_test(desk: JobScenario) -> None:
    for _ in range(FAILURES_TO_OPEN + 5):
        desk.routed()
    for attempt in claim(desk):
        answered(desk, attempt, AWAY)
    assert row(desk).probe_at == desk.now + 1


def test_new_videos_go_elsewhere_at_once(desk: JobScenario) -> None:
    go_away(desk)
    assert desk.routed(choice=ProviderChoice("auto")).provider == HOMEDESIGNS
    assert desk.routed(choice=ProviderChoice("iacrea")).provider == IACREA


def test_one_new_video_tests_a_provider_for_which_nothing_waits(desk: JobScenario) -> None:
    for attempt in go_away(desk, OutcomeUnknown("it is away")):
        assert desk.current(attempt).state is AttemptState.UNCONFIRMED
    desk.now = row(desk).probe_at
    chosen = [desk.routed(choice=ProviderChoice("auto")).provider for _ in range(3)]
    assert chosen == [IACREA, HOMEDESIGNS, HOMEDESIGNS]

    [probe] = claim(desk)
    answered(desk, probe, Accepted("job-1"))
    assert desk.routed(choice=ProviderChoice("auto")).provider == IACREA


def test_several_videos_routed_together_are_one_test(desk: JobScenario) -> None:
    go_away(desk, OutcomeUnknown("it is away"))
    desk.now = row(desk).probe_at
    ids = [desk.request(choice=ProviderChoice("auto")) for _ in range(3)]
    desk.do(assignment.route, desk.policy, now=desk.now)
    assert [desk.attempt(video_id).provider for video_id in ids] == [IACREA, HOMEDESIGNS, HOMEDESIGNS]


def test_where_all_are_away_the_preferred_one_is_waited_for(desk: JobScenario) -> None:
    desk.under(providers=(IACREA,))
    go_away(desk)
    assert desk.routed(choice=ProviderChoice("auto")).provider == IACREA


def fetch(desk: JobScenario) -> list[AttemptRow]:
    found = desk.do(fetching.claim, HOMEDESIGNS, owner=GENERATOR, room=12, in_hand=[], now=desk.now)
    return [attempt for attempt, _ in found.work]


def test_no_picture_is_fetched_for_a_provider_that_takes_no_work_but_for_one_that_tests_it(desk: JobScenario) -> None:
    desk.do(circuits.put, HOMEDESIGNS, CircuitRow(failures=5, opened_at=desk.now, probe_at=desk.now + 5))
    for _ in range(3):
        desk.routed(choice=ProviderChoice("homedesigns"))
    assert fetch(desk) == []
    desk.now += 5
    assert len(fetch(desk)) == 1


def test_pictures_that_were_fetched_already_are_let_go_when_their_provider_goes_away(desk: JobScenario) -> None:
    for _ in range(2):
        desk.routed(choice=ProviderChoice("homedesigns"))
    fetched = fetch(desk)
    desk.do(circuits.put, HOMEDESIGNS, CircuitRow(failures=5, opened_at=desk.now, probe_at=desk.now + 5))
    found = desk.do(
        submission_claims.claim, desk.policy, HOMEDESIGNS, owner=GENERATOR, room=8, now=desk.now, fetched=fetched
    )
    assert found.work == []
    assert found.lost == {attempt.id for attempt in fetched}
    assert [desk.current(attempt).state for attempt in fetched] == [AttemptState.WAITING] * 2
