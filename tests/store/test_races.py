"""What one writer at a time hid: two processes over one PostgreSQL that want the same rows at the same moment.

Each race is run twice: as it is, and without any lock, where it must go wrong. So no lock is there for nothing.
"""

from collections.abc import Callable, Iterator
from functools import partial
from unittest import mock

import psycopg
import pytest

from jobs import (
    accept,
    assignment,
    check,
    check_claims,
    circuit,
    events,
    learning,
    ledger,
    submission_claims,
    submit,
    unconfirmed,
)
from jobs.accept import AcceptedVideo, BudgetExhausted
from jobs.learning import Observation
from providers.reports import Accepted, Handle, OutcomeUnknown, Working
from schemas.names import EventType, Provider
from store import attempts, circuits, credits, providers, secrets, webhooks
from store.attempts import AttemptState
from store.credits import Entry
from store.postgres import Session, WritingTx, conninfo
from store.transaction import Tx
from store.webhooks import Delivery
from tests.store.interleaving import Two
from tests.support.job_scenario import GENERATOR, POLLER, REQUEST, JobScenario
from tests.support.postgres import Postgres

IACREA = Provider("iacrea")


@pytest.fixture
def two(postgres: Postgres, postgres_session: Session) -> Iterator[Two]:
    """Give two processes' connections to the same tables, which are empty."""
    url = postgres.server.url(postgres_session.connection.info.dbname)
    second, watcher = Session(conninfo(url)), Session(conninfo(url))
    for session in (second, watcher):
        session.execute("SELECT 1")  # connected before threads share it
    yield Two(postgres_session, second, watcher)
    second.close()
    watcher.close()


@pytest.fixture
def desk(postgres_session: Session) -> JobScenario:
    """Give a story told in those tables."""
    scenario = JobScenario()
    scenario.connection = postgres_session
    return scenario


def a_video_is_routed_once(two: Two, desk: JobScenario) -> None:
    desk.request()
    route = partial(assignment.route, policy=desk.policy, now=desk.now)
    assert two.interleave(route, route) == (1, 0)


def a_submission_is_claimed_once(two: Two, desk: JobScenario) -> None:
    desk.routed()
    begun, second = two.interleave(claim(desk, "generator-1"), claim(desk, "generator-2"))
    assert (len(begun.work), len(second.work)) == (1, 0)


def claim(desk: JobScenario, owner: str) -> Callable[[Tx], submission_claims.Claim]:
    return lambda tx: submission_claims.claim(tx, desk.policy, IACREA, owner=owner, room=5, now=desk.now)


def a_check_is_claimed_once(two: Two, desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now = desk.current(attempt).due_at or 0
    ask = partial(check_claims.claim, policy=desk.policy, provider=IACREA, room=5, now=desk.now)
    begun, second = two.interleave(partial(ask, owner="poller-1"), partial(ask, owner="poller-2"))
    assert (len(begun.work), len(second.work)) == (1, 0)


def two_claims_share_one_budget(two: Two, desk: JobScenario) -> None:
    for number in range(60):
        desk.routed(metadata={"n": str(number)})
    desk.do(providers.set_tokens, IACREA, tokens=10.0, now=desk.now)
    spend_all(two, desk, budget=10)


def two_first_claims_share_one_budget(two: Two, desk: JobScenario) -> None:
    for number in range(60):
        desk.routed(metadata={"n": str(number)})
    desk.under(rates={IACREA: 1.0, Provider("homedesigns"): 1.0})
    spend_all(two, desk, budget=10)


def spend_all(two: Two, desk: JobScenario, *, budget: int) -> None:
    def claiming(owner: str) -> Callable[[Tx], submission_claims.Claim]:
        return lambda tx: submission_claims.claim(tx, desk.policy, IACREA, owner=owner, room=8, now=desk.now)

    begun, second = two.interleave(claiming("generator-1"), claiming("generator-2"))
    assert len(begun.work) + len(second.work) == budget


def a_webhook_during_the_acceptance_is_not_lost(two: Two, desk: JobScenario) -> None:
    attempt = desk.sending()
    delivered(desk, attempt.id)
    due = partial(check_claims.claim, policy=desk.policy, provider=IACREA, owner=POLLER, room=0, now=desk.now)
    two.interleave(due, accepting(desk, attempt))
    assert desk.current(attempt).due_at == desk.now


def delivered(desk: JobScenario, attempt_id: str) -> None:
    desk.do(webhooks.record, [Delivery(attempt_id, b"{}", 2, None)], now=desk.now)


def accepting(desk: JobScenario, attempt: attempts.AttemptRow, job: str = "job-1") -> Callable[[Tx], None]:
    return lambda tx: submit.accepted(tx, desk.policy, attempt, Accepted(job), sent_at=desk.now, now=desk.now)


def a_webhook_during_a_check_is_not_lost(two: Two, desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += 300  # so that the next look would be long after
    claimed = desk.wait_until_due(attempt)
    desk.now += 1
    delivered(desk, attempt.id)
    due = partial(check_claims.claim, policy=desk.policy, provider=IACREA, owner=POLLER, room=0, now=desk.now)
    looked = partial(check.apply, policy=desk.policy, attempt=claimed, report=Working(), owner=POLLER, now=desk.now)
    two.interleave(due, looked)
    assert (desk.current(attempt).due_at or 0) <= desk.now + desk.policy.poll_min


def an_accepted_job_is_not_lost_by_another(two: Two, desk: JobScenario) -> None:
    attempt = desk.sending(Provider("homedesigns"))
    lost = partial(submit.mark_outcome_unknown, policy=desk.policy, attempt=attempt, message="no answer", now=desk.now)
    two.interleave(accepting(desk, attempt), lost)
    assert desk.current(attempt).state is AttemptState.GENERATING


def an_accepted_job_is_not_disproved_by_another(two: Two, desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    two.interleave(
        accepting(desk, attempt),
        lambda tx: unconfirmed.fail_unconfirmed(tx, desk.policy, attempt, "no webhook", now=desk.now),
    )
    assert desk.current(attempt).state is AttemptState.GENERATING


def one_job_proves_one_submission(two: Two, desk: JobScenario) -> None:
    one, other = desk.unconfirmed(), desk.unconfirmed()

    def confirming(attempt: attempts.AttemptRow) -> Callable[[Tx], None]:
        return lambda tx: unconfirmed.confirm_job(
            tx, desk.policy, attempt, Handle("job-7"), Working(), owner=POLLER, now=desk.now
        )

    two.interleave(confirming(one), confirming(other))
    assert [desk.current(each).provider_job_id for each in (one, other)] == ["job-7", None]


def events_of_a_video_are_numbered_as_they_happen(two: Two, desk: JobScenario) -> None:
    attempt = desk.generating()

    def announcing(number: int) -> Callable[[Tx], bool]:
        def announce(tx: Tx) -> bool:
            events.announce(tx, attempt.video_id, EventType.FALLBACK, attempt=number, now=desk.now)
            return two.committed

        return announce

    _, after_the_first = two.interleave(announcing(1), announcing(2))
    assert after_the_first


def lessons_of_two_pollers_add_up(two: Two, _: JobScenario) -> None:
    lessons = [Observation(IACREA, 10.0, 20.0), Observation(IACREA, 200.0, 300.0)]
    for lesson in lessons:
        two.do(partial(learning.learn, lessons=[lesson]))
    together = two.do(lambda tx: learning.plan(tx, IACREA)).dumps()
    two.do(lambda tx: tx.execute("DELETE FROM durations"))
    two.interleave(*(partial(learning.learn, lessons=[lesson]) for lesson in lessons))
    assert two.do(lambda tx: learning.plan(tx, IACREA)).dumps() == together


def an_entry_is_not_struck_while_it_is_summed_up(two: Two, desk: JobScenario) -> None:
    two.do(lambda tx: credits.enter(tx, IACREA, "a", Entry.UNKNOWN, sent_at=desk.now, now=desk.now))
    later = desk.now + ledger.LONGEST_REQUEST + 1
    two.interleave(lambda tx: ledger.fold(tx, IACREA, now=later, limit=10), lambda tx: credits.strike_unknown(tx, "a"))
    assert desk.credits().unknown == 0


def a_daily_budget_is_spent_once(two: Two, desk: JobScenario) -> None:
    answers = two.interleave(asking(desk, budget=1), asking(desk, budget=1))
    assert [type(answer) for answer in answers] == [AcceptedVideo, BudgetExhausted]


def asking(desk: JobScenario, **fields: object) -> Callable[[Tx], object]:
    new = REQUEST.__class__(**{**{name: getattr(REQUEST, name) for name in REQUEST.__slots__}, **fields})
    return lambda tx: accept.accept(tx, new, lambda video: f"https://us.example/{video}", now=desk.now)


def two_failures_in_a_row_are_counted(two: Two, desk: JobScenario) -> None:
    attempt = desk.sending()
    failing = partial(circuit.note_answer, attempt=attempt, answer=OutcomeUnknown("no answer"), now=desk.now)
    two.interleave(failing, failing)
    assert two.do(partial(circuits.get, provider=IACREA)).failures == 2


RACES = [
    a_video_is_routed_once,
    a_submission_is_claimed_once,
    a_check_is_claimed_once,
    two_claims_share_one_budget,
    two_first_claims_share_one_budget,
    a_webhook_during_the_acceptance_is_not_lost,
    a_webhook_during_a_check_is_not_lost,
    an_accepted_job_is_not_lost_by_another,
    an_accepted_job_is_not_disproved_by_another,
    one_job_proves_one_submission,
    events_of_a_video_are_numbered_as_they_happen,
    lessons_of_two_pollers_add_up,
    an_entry_is_not_struck_while_it_is_summed_up,
    a_daily_budget_is_spent_once,
    two_failures_in_a_row_are_counted,
]


@pytest.mark.parametrize("race", RACES)
def test_of_two_at_once(race: Callable[[Two, JobScenario], None], two: Two, desk: JobScenario) -> None:
    race(two, desk)


@pytest.mark.parametrize("race", RACES)
def test_without_its_lock_it_goes_wrong(race: Callable[[Two, JobScenario], None], two: Two, desk: JobScenario) -> None:
    with (
        mock.patch.object(WritingTx, "row_lock", ""),
        mock.patch.object(WritingTx, "skip_locked", ""),
        mock.patch.object(WritingTx, "lock", return_value=None),
        pytest.raises((AssertionError, psycopg.Error)),
    ):
        race(two, desk)


def test_two_requests_with_one_key_make_one_video(two: Two, desk: JobScenario) -> None:
    first, second = two.interleave(asking(desk, idempotency_key="k"), asking(desk, idempotency_key="k"))
    assert (first.created, second.created) == (True, False)
    assert first.video.id == second.video.id


def test_a_secret_is_made_up_once(two: Two) -> None:
    kept = two.interleave(*(partial(secrets.keep, name="webhook", proposed=word) for word in ("one", "two")))
    assert kept == ("one", "one")


def test_a_webhook_waits_for_no_transaction_that_holds_its_attempt(two: Two, desk: JobScenario) -> None:
    attempt = desk.sending()
    delivered(desk, attempt.id)
    due = partial(check_claims.claim, policy=desk.policy, provider=IACREA, owner=POLLER, room=0, now=desk.now)

    def while_held(tx: Tx) -> bool:
        due(tx)
        return not two.committed

    assert two.interleave(accepting(desk, attempt), while_held)[1]
    two.do(due)
    assert desk.current(attempt).due_at == desk.now
    assert desk.current(attempt).lease_owner != GENERATOR
