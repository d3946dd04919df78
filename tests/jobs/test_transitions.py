"""An attempt moves only along the table, one compare-and-set a step; who comes second changes nothing."""

import itertools
from pathlib import Path

import pytest

from jobs import transitions
from jobs.transitions import RELEASED_LEASE, TRANSITIONS, Transition, apply_transition
from schemas.names import Provider
from store import attempts
from store.attempts import AttemptState
from tests.support.job_scenario import GENERATOR, JobScenario

JOBS = Path(transitions.__file__).parent
FINAL = {AttemptState.SUCCEEDED, AttemptState.FAILED}
CASES = list(itertools.product(TRANSITIONS, AttemptState))


def put(desk: JobScenario, state: AttemptState) -> str:
    attempt = desk.claimed()
    desk.connection.execute("UPDATE attempts SET state = ? WHERE id = ?", (state, attempt.id))
    return attempt.id


@pytest.mark.parametrize(("name", "state"), CASES)
def test_a_step_is_taken_exactly_from_the_states_that_the_table_allows(
    desk: JobScenario, name: str, state: AttemptState
) -> None:
    step = TRANSITIONS[name]
    attempt_id = put(desk, state)

    taken = desk.do(apply_transition, step, attempt_id, {"tries": 3})

    row = desk.do(attempts.get, attempt_id)
    assert row is not None
    assert taken is (state in step.from_states)
    assert (row.state, row.tries) == ((step.to, 3) if taken else (state, 0))


@pytest.mark.parametrize("name", TRANSITIONS)
def test_no_step_leads_out_of_a_final_state(name: str) -> None:
    step = TRANSITIONS[name]
    assert not step.from_states & FINAL or step in {transitions.KEEP_WATCHING, transitions.NAME_JOB}


def test_only_a_proven_absence_leads_back_from_an_unknown_fate() -> None:
    users = [path.name for path in JOBS.glob("*.py") if "SEND_AGAIN" in path.read_text()]
    assert sorted(users) == ["lookups.py", "transitions.py"]


def test_nothing_returns_to_where_it_could_be_sent_again_once_its_fate_is_unknown() -> None:
    sendable = {AttemptState.WAITING, AttemptState.CLAIMED}
    # But for the one step that is taken when the provider itself was asked, and certainly has it not.
    leading_back = [step for step in TRANSITIONS.values() if step.to in sendable and step != transitions.SEND_AGAIN]
    assert not any(step.from_states & {AttemptState.UNCONFIRMED, AttemptState.GENERATING} for step in leading_back)


def test_every_state_can_be_left_for_an_end_by_some_way() -> None:
    reaching: dict[AttemptState, set[AttemptState]] = {state: {state} for state in AttemptState}
    for _ in AttemptState:
        for step, state in itertools.product(TRANSITIONS.values(), AttemptState):
            if state in step.from_states:
                reaching[state] |= reaching[step.to]
    assert all(reached & FINAL for reached in reaching.values())


@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_step_that_names_an_owner_is_closed_to_any_other(desk: JobScenario, name: str) -> None:
    step: Transition = TRANSITIONS[name]
    attempt_id = put(desk, next(iter(step.from_states)))

    assert not desk.do(apply_transition, step, attempt_id, {}, owner="somebody else")
    assert desk.do(apply_transition, step, attempt_id, RELEASED_LEASE, owner=GENERATOR)


def test_a_column_that_may_not_change_is_refused_by_name(desk: JobScenario) -> None:
    attempt = desk.generating()
    with pytest.raises(ValueError, match="video_id"):
        desk.do(apply_transition, transitions.WAIT, attempt.id, {"video_id": "another"})


def test_a_second_terminal_event_cannot_be_stored_even_by_a_bug(desk: JobScenario) -> None:
    attempt = desk.generating(Provider("homedesigns"))
    columns = "event_id, video_id, type, routing_key, body, created_at"
    insert = f"INSERT INTO outbox ({columns}) VALUES (?, ?, ?, 'k', '{{}}', 0)"  # noqa: S608 - constant columns
    desk.connection.execute(insert, ("one", attempt.video_id, "video.ready"))

    with pytest.raises(Exception, match=r"(?i)unique"):
        desk.connection.execute(insert, ("two", attempt.video_id, "video.failed"))
