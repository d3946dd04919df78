"""Time out what is overdue, and nothing that could not be looked at: its age alone ends no job.

A job whose time is over ends with a look made after its deadline (`jobs.check`). This is for those of which the
provider could be asked and gave no answer. Seconds are those of a living poller's own steady clock, so that neither an
outage of ours nor a step of the wall clock counts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from jobs import refunds, settle
from jobs.policy import LATE_RESULT_SECONDS, OVERDUE_GRACE, Policy
from jobs.results import UNPROVEN
from jobs.settle import AttemptFailed
from schemas.names import ErrorCode, Provider
from store import attempts, open_attempts, providers
from store.attempts import AttemptRow, AttemptState
from store.transaction import Tx
from store.unreadable import Kind, each_of_many

STEP_SECONDS = 1.0
"""How often a poller looks for what is overdue."""

_LONGEST_STEP = 2 * STEP_SECONDS
"""What lies between two steps counts for no more: a poller that stood still could not ask anybody."""


def is_over(attempt: AttemptRow, policy: Policy, *, at: float) -> bool:
    """Say whether an accepted job's time was over at a time."""
    return at >= deadline(attempt, policy, now=at)


def deadline(attempt: AttemptRow, policy: Policy, *, now: float) -> float:
    """Say when an accepted job's time is over."""
    return (now if attempt.accepted_at is None else attempt.accepted_at) + policy.job_timeout


def timed_out(policy: Policy) -> AttemptFailed:
    """Name the failure of a job whose provider did not finish it in time."""
    message = f"not finished {policy.job_timeout:g} s after the provider accepted it"
    return AttemptFailed(ErrorCode.TIMED_OUT, message, refunds.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Overdue:
    """The jobs whose time is over, longest first, and the providers that nobody may ask now."""

    attempts: Sequence[AttemptRow]
    paused: Collection[Provider]


def find(tx: Tx, policy: Policy, *, now: float, limit: int = 500) -> Overdue:
    """Find the jobs whose time is over."""
    rows = open_attempts.accepted_before(tx, before=now - policy.job_timeout, limit=limit)
    shared = [providers.get(tx, provider) for provider in {row.provider for row in rows}]
    return Overdue(rows, {each.name for each in shared if each is not None and each.paused_until > now})


def give_up(tx: Tx, policy: Policy, attempt_ids: Collection[str], *, now: float) -> int:
    """Time out those of the attempts that are still open; say how many."""
    parts = {attempt_id: partial(_give_up, tx, policy, attempt_id, now) for attempt_id in attempt_ids}
    return sum(ended is True for ended in each_of_many(tx, Kind.ATTEMPT, parts, now=now))


def _give_up(tx: Tx, policy: Policy, attempt_id: str, now: float) -> bool:
    attempt = attempts.get(tx, attempt_id)
    if attempt is None or attempt.state is not AttemptState.GENERATING or not is_over(attempt, policy, at=now):
        return False
    return settle.fail(tx, policy, attempt, timed_out(policy), now=now)


@dataclass(slots=True)
class Watch:
    """What one poller knows of its looks, and of how long what is overdue has gone without an answer."""

    _asked: dict[str, tuple[Provider, float]] = field(default_factory=dict)
    _answered_at: dict[Provider, float] = field(default_factory=dict)
    _unanswered: dict[str, float] = field(default_factory=dict)
    _overdue: dict[str, float] = field(default_factory=dict)
    _stepped_at: float | None = None

    def asked(self, attempt: AttemptRow, *, at: float) -> None:
        """Note that a provider is asked about an attempt from now on."""
        self._asked[attempt.id] = (attempt.provider, at)

    def answered(self, attempt: AttemptRow, *, at: float) -> None:
        """Note that it answered, whatever it said."""
        self._asked.pop(attempt.id, None)
        self._answered_at[attempt.provider] = at

    def dropped(self, attempt: AttemptRow) -> None:
        """Note that a look ended without an answer, because it was cancelled."""
        self._asked.pop(attempt.id, None)

    def step(self, policy: Policy, overdue: Overdue, *, now: float, at: float) -> list[str]:
        """Take a step with what is overdue by now; name the attempts that are to be given up."""
        elapsed = 0.0 if self._stepped_at is None else min(at - self._stepped_at, _LONGEST_STEP)
        self._stepped_at = at
        without = [row.id for row in overdue.attempts if self._without_answer(policy, overdue, row, now, at)]
        self._unanswered = _longer(self._unanswered, without, elapsed)
        self._overdue = _longer(self._overdue, [row.id for row in overdue.attempts], elapsed)
        given_up = [name for name, seconds in self._unanswered.items() if seconds >= OVERDUE_GRACE]
        return given_up + [name for name, seconds in self._overdue.items() if seconds >= LATE_RESULT_SECONDS]

    def _without_answer(self, policy: Policy, overdue: Overdue, row: AttemptRow, now: float, at: float) -> bool:
        """Say whether a job's provider can be asked about it and gives no answer."""
        if row.doubt == UNPROVEN:
            return False  # it said that the video is finished: to ask the video's host again takes its time
        if row.id in self._asked:
            return True
        if row.lease_owner is not None or row.provider in overdue.paused:
            return False
        looked_at = row.checked_at is not None and is_over(row, policy, at=row.checked_at)
        put_off = row.due_at is not None and row.due_at > now + policy.poll_min
        return (looked_at and not put_off) or self._is_silent(row.provider, at)

    def _is_silent(self, provider: Provider, at: float) -> bool:
        """Say whether a provider has been asked for as long as the grace, and has answered nothing."""
        since = [began for asked, began in self._asked.values() if asked == provider]
        return bool(since) and max(min(since), self._answered_at.get(provider, min(since))) <= at - OVERDUE_GRACE


def _longer(seconds: dict[str, float], names: Collection[str], elapsed: float) -> dict[str, float]:
    """Add a step to those that were there at the step before; begin with those that are new; forget the rest."""
    return {name: seconds[name] + elapsed if name in seconds else 0.0 for name in names}
