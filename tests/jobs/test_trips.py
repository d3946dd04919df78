"""What a step asks is sent together: each step of a video takes few trips to PostgreSQL, however much it asks."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from jobs import assignment, check, check_claims, submission_claims, submit
from jobs.circuit import note_answer
from providers.reports import Accepted
from schemas.names import Provider
from store import circuits, webhooks
from store.postgres import Session
from store.postgres_wire import Reply, Statement, Wire
from store.transaction import Tx
from store.webhooks import Delivery
from tests.support.job_scenario import GENERATOR, POLLER, READY, JobScenario

IACREA = Provider("iacrea")


@pytest.fixture
def desk(postgres_session: Session) -> JobScenario:
    scenario = JobScenario()
    scenario.connection = postgres_session
    return scenario


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the number of statements of each trip."""
    made: list[int] = []
    run = Wire.run

    def counted(wire: Wire, statements: Sequence[Statement]) -> list[Reply]:
        made.append(len(statements))
        return run(wire, statements)

    monkeypatch.setattr(Wire, "run", counted)
    return made


def _trips(trips: list[int], desk: JobScenario, work: Callable[[Tx], object]) -> int:
    trips.clear()
    desk.do(work)
    return len(trips)


def test_three_videos_are_routed_in_one_trip_and_a_commit(desk: JobScenario, trips: list[int]) -> None:
    for _ in range(3):
        desk.request()
    assert _trips(trips, desk, partial(assignment.route, policy=desk.policy, now=desk.now)) == 2


def test_three_attempts_are_claimed_in_few_trips(desk: JobScenario, trips: list[int]) -> None:
    desk.claimed()  # from here on the provider's budget has its row
    for _ in range(3):
        desk.routed()
    claim = partial(submission_claims.claim, policy=desk.policy, provider=IACREA, owner=GENERATOR, room=8, now=desk.now)
    assert _trips(trips, desk, claim) <= 5


def test_an_acceptance_is_recorded_in_two_trips_and_a_commit(desk: JobScenario, trips: list[int]) -> None:
    attempt = desk.sending()

    def settled(tx: Tx) -> None:
        circuit = circuits.ask(tx, IACREA)
        submit.accepted(tx, desk.policy, attempt, Accepted("job-1"), sent_at=desk.now, now=desk.now)
        note_answer(tx, attempt, Accepted("job-1"), now=desk.now, asked=circuit)

    assert _trips(trips, desk, settled) == 3


def test_deliveries_are_recorded_with_the_commit(desk: JobScenario, trips: list[int]) -> None:
    deliveries = [Delivery(f"{number:032}", b"{}", 2, None) for number in range(20)]
    assert _trips(trips, desk, lambda tx: webhooks.record(tx, deliveries, now=desk.now)) == 1


def test_webhooks_are_handed_over_and_claimed_in_few_trips(desk: JobScenario, trips: list[int]) -> None:
    for number in range(3):
        attempt = desk.generating(job=f"job-{number}")
        desk.do(webhooks.record, [Delivery(attempt.id, b"{}", 2, None)], now=desk.now)
    claim = partial(check_claims.claim, policy=desk.policy, provider=IACREA, owner=POLLER, room=8, now=desk.now)
    assert _trips(trips, desk, claim) <= 5


def test_a_result_is_settled_in_two_trips_and_a_commit(desk: JobScenario, trips: list[int]) -> None:
    attempt = desk.generating()

    def settled(tx: Tx) -> None:
        check.apply_traced(tx, desk.policy, attempt, READY, owner=POLLER, now=desk.now, asked_at=desk.now)

    assert _trips(trips, desk, settled) == 3
