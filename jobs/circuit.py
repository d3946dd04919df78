"""The circuit breaker: a provider that keeps failing is left alone, tested by one submission at a time, and comes back.

Closed, it lets all work pass. After some failures in a row it opens: work waits without using up its tries. Now and
then it is half-open: one attempt may test the provider, the probe, and what that meets closes it or keeps it open.
"""

from collections.abc import Callable
from typing import NamedTuple

from jobs.policy import Policy
from jobs.schedule import retry_delay
from providers.registry import capabilities
from providers.reports import NotAcceptedYet, OutcomeUnknown, SubmissionOutcome
from schemas.names import Provider
from schemas.status import CircuitState
from schemas.times import clock
from store import attempts, circuits, due_attempts, history, pauses
from store.attempts import AttemptRow, AttemptState
from store.circuits import CircuitRow
from store.transaction import Signal, Tx

_IN_HAND = frozenset({AttemptState.CLAIMED, AttemptState.SENDING})
_TO_SUBMIT = (AttemptState.WAITING, AttemptState.CLAIMED, AttemptState.SENDING)


class Change(NamedTuple):
    """A circuit has changed, and why."""

    to: CircuitState
    reason: str | None


class Gate(NamedTuple):
    """How much new work a provider may be given now: `room` attempts, None for any number.

    `again_at` is when to ask again. What is shut has a reason, and is so since a time; `paused` says by an operator.
    """

    room: int | None = None
    again_at: float | None = None
    why: str | None = None
    since: float | None = None
    paused: bool = False


OPEN_GATE = Gate()


def state_of(row: CircuitRow, *, now: float) -> CircuitState:
    """Name the state of a circuit."""
    if not row.is_open:
        return CircuitState.CLOSED
    testing = row.probe_attempt is not None or now >= row.probe_at
    return CircuitState.HALF_OPEN if testing else CircuitState.OPEN


def gate(tx: Tx, provider: Provider, *, now: float) -> Gate:
    """Say how much new work a provider may be given."""
    return ask_gate(tx, provider, now=now)()


def ask_gate(tx: Tx, provider: Provider, *, now: float) -> Callable[[], Gate]:
    """Ask how much new work a provider may be given, and give what reads the answer."""
    paused, circuit = pauses.ask(tx, provider), circuits.ask(tx, provider)

    def read() -> Gate:
        pause, row = paused(), circuit()
        if pause is not None:
            return Gate(0, None, f"by {pause.caller}", pause.since, paused=True)
        if not row.is_open:
            return OPEN_GATE
        busy_until = _probed_until(tx, row, now)
        if busy_until is not None or now < row.probe_at:
            return Gate(0, busy_until or row.probe_at, row.reason, row.opened_at)
        return Gate(1, None, row.reason, row.opened_at)

    return read


def _probed_until(tx: Tx, row: CircuitRow, now: float) -> float | None:
    """Say until when somebody has the lease of the probe; a probe whose owner died counts no more."""
    probe = attempts.get(tx, row.probe_attempt) if row.probe_attempt else None
    if probe is None or probe.state not in _IN_HAND or probe.due_at is None or probe.due_at <= now:
        return None
    return probe.due_at


def probe(tx: Tx, provider: Provider, attempt_id: str) -> None:
    """Test a provider by an attempt: no other may until it has been answered or its owner is dead."""
    circuits.put(tx, provider, circuits.held(tx, provider)._replace(probe_attempt=attempt_id))


def note_answer(
    tx: Tx,
    attempt: AttemptRow,
    answer: SubmissionOutcome,
    *,
    now: float,
    asked: Callable[[], CircuitRow] | None = None,
) -> Change | None:
    """Learn from what a provider, which really was asked, answered; give the change that this makes.

    Being refused or throttled is no failure: whoever says so is there. `asked` reads the provider's circuit
    where it was asked for with other questions.
    """
    failure = _failure(answer)
    row = (asked or circuits.ask(tx, attempt.provider))()
    if failure is None and not row.is_open and not row.failures:
        return None
    row = circuits.held(tx, attempt.provider)
    if failure is not None:
        retry_after = failure.retry_after if isinstance(failure, NotAcceptedYet) else None
        return _failed(tx, attempt, row, failure.message, retry_after, now)
    if row.is_open:
        closed = CircuitRow(opened_at=row.opened_at, closed_at=now)
        circuits.put(tx, attempt.provider, closed)
        if (attempt.created_at or 0) < row.probe_at:
            note_wait(tx, attempt, closed, now=now)
        tx.notify(Signal.SUBMISSIONS)
        return Change(CircuitState.CLOSED, None)
    if row.failures:
        circuits.put(tx, attempt.provider, row._replace(failures=0, reason=None))
    return None


def _failure(answer: SubmissionOutcome) -> NotAcceptedYet | OutcomeUnknown | None:
    if isinstance(answer, OutcomeUnknown) or (isinstance(answer, NotAcceptedYet) and not answer.throttled):
        return answer
    return None


def _failed(
    tx: Tx, attempt: AttemptRow, row: CircuitRow, reason: str, retry_after: float | None, now: float
) -> Change | None:
    if row.is_open and attempt.id != row.probe_attempt:
        return None  # it was under way when the circuit opened, and tells nothing new
    failures = row.failures + 1
    known = row._replace(failures=failures, reason=reason, probe_attempt=None)
    most = failures_to_open(attempt.provider)
    if failures < most:
        circuits.put(tx, attempt.provider, known)
        return None
    opened_at = row.opened_at if row.is_open else now
    probe_at = now + retry_delay(failures - most + 1, retry_after)
    circuits.put(tx, attempt.provider, known._replace(opened_at=opened_at, closed_at=None, probe_at=probe_at))
    return Change(CircuitState.OPEN, reason)


def failures_to_open(provider: Provider) -> int:
    """Say how many submissions in a row, of whichever process, must fail."""
    return capabilities(provider).failures_to_open


def note_wait(tx: Tx, attempt: AttemptRow, over: CircuitRow, *, now: float) -> None:
    """Note on a video's timeline the outage that it has waited out."""
    detail = f"{attempt.provider} was away from {clock(over.opened_at or 0)} to {clock(over.closed_at or now)}"
    history.note(tx, attempt.video_id, "waited", now=now, attempt=attempt.number, detail=detail)


class Takers:
    """Who can be given new videos, while some are routed in one transaction."""

    def __init__(self, tx: Tx, policy: Policy, *, now: float) -> None:
        asked = {provider: ask_gate(tx, provider, now=now) for provider in policy.providers}
        gates = {provider: read() for provider, read in asked.items()}
        self._open = [provider for provider, found in gates.items() if found.room is None]
        # Without any work a provider that is back would never be tested.
        self._to_test = {
            provider
            for provider, found in gates.items()
            if found.room == 1 and due_attempts.next_due(tx, _TO_SUBMIT, provider) is None
        }
        self._order = policy.providers

    def willing(self) -> list[Provider]:
        """List those who take a video now, in the order of preference."""
        return [provider for provider in self._order if provider in self._open or provider in self._to_test]

    def chosen(self, provider: Provider) -> None:
        """Note that a video goes to a provider: one is enough to test it."""
        self._to_test.discard(provider)
