"""Decide what a provider's answer means for an attempt; pure."""

from dataclasses import dataclass
from typing import assert_never

from jobs import overdue, refunds, schedule
from jobs.durations import Plan
from jobs.policy import UNKNOWN_JOB_GRACE, Policy
from jobs.results import UNPROVEN, Finding, Proven, Unproven
from jobs.schedule import NOTHING_LEARNT
from jobs.settle import AttemptFailed
from providers.registry import cancel_forgets
from providers.reports import Doubtful, Failed, Ready, Unavailable, UnknownJob, Working
from schemas.names import DetectedBy, ErrorCode
from schemas.video import Media
from store.attempts import AttemptRow, CancelState

_REPEATS = 3
"""How often a doubtful answer must be repeated before it is believed."""

_DOUBT_GAPS = 15
"""For how many of the shortest polling intervals it must be repeated."""


def prompted_by(attempt: AttemptRow) -> DetectedBy:
    """Say what made this check due: a webhook since the last one, or the schedule. `attempt` is as claimed."""
    woken = attempt.woken_at is not None and attempt.woken_at >= (attempt.checked_at or 0)
    return DetectedBy.WEBHOOK if woken else DetectedBy.POLL


@dataclass(frozen=True, slots=True)
class CheckAgain:
    """Look again at `due_at`; `doubt` is what the provider must repeat to be believed."""

    due_at: float
    doubt: str | None = None
    doubt_since: float | None = None
    doubt_count: int = 0
    not_before: float = 0.0
    """The provider's own wish, which even a webhook does not overrule."""


@dataclass(frozen=True, slots=True)
class AttemptSucceeded:
    """There is a video."""

    urls: tuple[str, ...]
    media: Media | None = None
    kept: tuple[str, ...] = ()


Decision = CheckAgain | AttemptSucceeded | AttemptFailed


def decide(
    attempt: AttemptRow,
    report: Finding,
    policy: Policy,
    *,
    now: float,
    asked_at: float | None = None,
    plan: Plan = NOTHING_LEARNT,
) -> Decision:
    """Say what a report means for an attempt in `generating`, whose provider's durations `plan` knows; pure.

    A look that began after the deadline is the last one, unless it brought no answer, or a video that waits for its
    proof. `asked_at` is now by default.
    """
    if isinstance(report, Ready) and attempt.provider in policy.proves:
        return CheckAgain(now)
    decision = _meaning(attempt, report, policy, now, plan)
    last = overdue.is_over(attempt, policy, at=now if asked_at is None else asked_at)
    if isinstance(decision, CheckAgain) and last and not isinstance(report, Unavailable | Unproven):
        return overdue.timed_out(policy)
    return decision


def _meaning(attempt: AttemptRow, report: Finding, policy: Policy, now: float, plan: Plan) -> Decision:
    match report:
        case Ready(urls):
            return AttemptSucceeded(urls)
        case Proven(urls, media, kept):
            return AttemptSucceeded(urls, media, kept)
        case Failed(message, code, cancelled=cancelled):
            # The provider's word that somebody stopped it; our own caller, if that wished it.
            code = ErrorCode.CANCELLED if cancelled and attempt.cancel is not None else code
            refund = refunds.of_reported_failure(attempt.provider, report)
            evidence = refunds.evidence_of(attempt.provider, report)
            return AttemptFailed(code, message, refund, prompted_by(attempt), evidence)
        case _:
            return _open(attempt, report, policy, now, schedule.next_check(attempt, policy, now=now, plan=plan))


def _open(
    attempt: AttemptRow,
    report: Working | Unavailable | UnknownJob | Doubtful | Unproven,
    policy: Policy,
    now: float,
    next_check: float,
) -> Decision:
    match report:
        case Working():
            return CheckAgain(next_check)
        case Unavailable(retry_after=retry_after):
            not_before = now + (retry_after or 0)
            doubt = (attempt.doubt, attempt.doubt_since, attempt.doubt_count)
            return CheckAgain(max(next_check, not_before), *doubt, not_before)
        case UnknownJob(message):
            return _lost(attempt, message, policy, now, next_check)
        case Doubtful(code, message):
            return _doubt(attempt, report, f"{code}: {message}", policy, now, next_check)
        case Unproven(message=message):
            doubtful = Doubtful(ErrorCode.RESULT_INVALID, message)
            return _doubt(attempt, doubtful, UNPROVEN, policy, now, next_check)
        case unreachable:
            assert_never(unreachable)


def _lost(attempt: AttemptRow, message: str, policy: Policy, now: float, next_check: float) -> Decision:
    if attempt.cancel is CancelState.ASKED and cancel_forgets(attempt.provider):
        # It knew the job when it was asked to stop it.
        gone = Doubtful(ErrorCode.CANCELLED, f"{attempt.provider} was asked to stop the job, and has it no more")
        return _doubt(attempt, gone, f"{ErrorCode.CANCELLED}: {message}", policy, now, next_check)
    if now - (attempt.accepted_at or now) < UNKNOWN_JOB_GRACE:
        return CheckAgain(next_check)
    doubt = f"{ErrorCode.JOB_LOST}: {message}"
    return _doubt(attempt, Doubtful(ErrorCode.JOB_LOST, message), doubt, policy, now, next_check)


def _doubt(
    attempt: AttemptRow, report: Doubtful, doubt: str, policy: Policy, now: float, next_check: float
) -> Decision:
    repeated = attempt.doubt == doubt
    count = attempt.doubt_count + 1 if repeated else 1
    since = attempt.doubt_since if repeated and attempt.doubt_since is not None else now
    if report.final or (count >= _REPEATS and now - since >= _DOUBT_GAPS * policy.poll_min):
        return AttemptFailed(report.code, report.message, refunds.UNKNOWN, prompted_by(attempt))
    return CheckAgain(min(next_check, now + _DOUBT_GAPS / _REPEATS * policy.poll_min), doubt, since, count)
