"""The steps of a check: claim what is due, decide what the provider's answer means, apply it once.

`decide` is pure. Whatever learns the truth first settles the attempt; whoever comes second changes nothing.
"""

import math
from dataclasses import dataclass
from typing import assert_never

from jobs import clock, events, learning, overdue, refunds, schedule, settle
from jobs.check_claims import woken_meanwhile
from jobs.durations import Plan
from jobs.learning import Observation
from jobs.policy import UNKNOWN_JOB_GRACE, Policy
from jobs.results import Finding, Proven, Unproven
from jobs.schedule import NO_DOUBT, NOTHING_LEARNT
from jobs.settle import AttemptFailed
from jobs.transitions import KEEP_WATCHING, RELEASED_LEASE, WAIT, apply_transition
from providers.reports import Doubtful, Failed, Ready, Unavailable, UnknownJob, Working
from schemas.names import DetectedBy, ErrorCode, EventType, Provider, RefundStatus
from schemas.video import Media
from store import attempts, credits, history, providers
from store.attempts import AttemptRow, AttemptState, CancelState
from store.credits import Entry
from store.transaction import Tx

_REPEATS = 3
"""How often a doubtful answer must be repeated before it is believed."""

_DOUBT_GAPS = 15
"""For how many of the shortest polling intervals it must be repeated."""


def prompted_by(attempt: AttemptRow) -> DetectedBy:
    """Say what made this check due: a webhook since the last one, or the schedule. `attempt` is as claimed."""
    woken = attempt.woken_at is not None and attempt.woken_at >= (attempt.checked_at or 0)
    return DetectedBy.WEBHOOK if woken else DetectedBy.POLL


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `due_at`; `doubt` is what the provider must repeat to be believed."""

    due_at: float
    doubt: str | None = None
    doubt_since: float | None = None
    doubt_count: int = 0
    not_before: float = 0.0
    """The provider's own wish, which even a webhook does not overrule."""


@dataclass(frozen=True, slots=True)
class Succeed:
    """There is a video."""

    urls: tuple[str, ...]
    media: Media | None = None
    kept: tuple[str, ...] = ()


Decision = Wait | Succeed | AttemptFailed


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
        return Wait(now)
    decision = _meaning(attempt, report, policy, now, plan)
    last = overdue.is_over(attempt, policy, at=now if asked_at is None else asked_at)
    if isinstance(decision, Wait) and last and not isinstance(report, Unavailable | Unproven):
        return overdue.timed_out(policy)
    return decision


def _meaning(attempt: AttemptRow, report: Finding, policy: Policy, now: float, plan: Plan) -> Decision:
    match report:
        case Ready(urls):
            return Succeed(urls)
        case Proven(urls, media, kept):
            return Succeed(urls, media, kept)
        case Failed(message, code, cancelled=cancelled):
            # The provider's word that somebody stopped it; our own caller, if that wished it.
            code = ErrorCode.CANCELLED if cancelled and attempt.cancel is not None else code
            refund = refunds.of_reported_failure(attempt.provider, report)
            return AttemptFailed(code, message, refund, prompted_by(attempt))
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
            return Wait(next_check)
        case Unavailable(retry_after=retry_after):
            not_before = now + (retry_after or 0)
            doubt = (attempt.doubt, attempt.doubt_since, attempt.doubt_count)
            return Wait(max(next_check, not_before), *doubt, not_before)
        case UnknownJob(message):
            return _lost(attempt, message, policy, now, next_check)
        case Doubtful(code, message):
            return _doubt(attempt, report, f"{code}: {message}", policy, now, next_check)
        case Unproven(message=message):
            # Whatever is amiss with the address from one time to the next, it is the same doubt.
            doubtful = Doubtful(ErrorCode.RESULT_INVALID, message)
            return _doubt(attempt, doubtful, "the result's address", policy, now, next_check)
        case unreachable:
            assert_never(unreachable)


def _lost(attempt: AttemptRow, message: str, policy: Policy, now: float, next_check: float) -> Decision:
    if now - (attempt.accepted_at or now) < UNKNOWN_JOB_GRACE:
        return Wait(next_check)
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
    return Wait(min(next_check, now + _DOUBT_GAPS / _REPEATS * policy.poll_min), doubt, since, count)


def apply(
    tx: Tx,
    policy: Policy,
    attempt: AttemptRow,
    report: Finding,
    *,
    owner: str,
    now: float,
    asked_at: float | None = None,
) -> Decision | None:
    """Apply what a provider reported of an attempt; give the decision, or None if others had settled it before.

    `attempt` is as it was claimed; `asked_at`, when the provider was asked, is now by default. Evidence of an end
    counts even if the lease was lost meanwhile.
    """
    _note_credentials(tx, attempt.provider, report, now)
    if attempt.state is AttemptState.FAILED:
        return apply_late(tx, policy, attempt, report, owner=owner, now=now)
    ended = isinstance(report, Ready | Failed | Proven | Unproven)
    plan = NOTHING_LEARNT if ended else learning.plan(tx, attempt.provider)
    # A clock that was put back meanwhile does not make the job older than it is.
    asked_at = now if asked_at is None else min(asked_at, now)
    attempt = _with_wish(tx, attempt, report)
    decision = decide(clock.redated(tx, attempt), report, policy, now=now, asked_at=asked_at, plan=plan)
    match decision:
        case Succeed(urls, media, kept):
            by = prompted_by(attempt)
            applied = settle.succeed(tx, attempt, urls, detected_by=by, now=now, media=media, kept=kept)
            if not applied:
                apply_late(tx, policy, attempt, report, owner=owner, now=now)
        case AttemptFailed():
            applied = settle.fail(tx, policy, attempt, decision, now=now)
        case Wait():
            applied = _wait(tx, policy, attempt, decision, owner=owner, now=now)
        case unreachable:
            assert_never(unreachable)
    return decision if applied else None


def _with_wish(tx: Tx, attempt: AttemptRow, report: Finding) -> AttemptRow:
    """Add the wish to stop an attempt, which may have come since it was claimed, where it decides."""
    if not (isinstance(report, Failed) and report.cancelled):
        return attempt
    current = attempts.get(tx, attempt.id)
    return attempt if current is None else attempt._replace(cancel=current.cancel)


def lesson(attempt: AttemptRow, report: Finding, decision: Decision, *, now: float) -> Observation | None:
    """Say what a check that was applied teaches of its provider's durations; `attempt` is as it was claimed.

    The job ended since the check before. A webhook's time is that of the end itself; one that came before the
    job was even known to be accepted tells nothing of its duration.
    """
    accepted_at = now if attempt.accepted_at is None else attempt.accepted_at
    if isinstance(decision, AttemptFailed) and decision.code is ErrorCode.TIMED_OUT:
        return Observation(attempt.provider, now - accepted_at, math.inf)
    if not isinstance(report, Ready | Failed | Proven) or isinstance(decision, Wait):
        return None
    if attempt.woken_at is not None and prompted_by(attempt) is DetectedBy.WEBHOOK:
        found_at = unfinished_at = attempt.woken_at
    else:
        found_at, unfinished_at = now, max(attempt.checked_at or 0.0, accepted_at)
    if found_at <= accepted_at:
        return None
    return Observation(attempt.provider, unfinished_at - accepted_at, found_at - accepted_at)


def _wait(tx: Tx, policy: Policy, attempt: AttemptRow, wait: Wait, *, owner: str, now: float) -> bool:
    current = attempts.get(tx, attempt.id)
    woken = current is not None and current.woken_at != attempt.woken_at
    wished = current is not None and current.cancel is CancelState.WISHED and attempt.cancel is None
    due_at = max(now + policy.poll_min, wait.not_before) if woken else wait.due_at
    if wished:
        due_at = now
    columns = {
        "due_at": due_at,
        "doubt": wait.doubt,
        "doubt_since": wait.doubt_since,
        "doubt_count": wait.doubt_count,
    }
    return apply_transition(tx, WAIT, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner)


def apply_late(
    tx: Tx, policy: Policy, attempt: AttemptRow, report: Finding, *, now: float, owner: str | None = None
) -> Decision | None:
    """Note what became of an attempt that was given up: its addresses, and nothing else that was told of it."""
    current = attempts.get(tx, attempt.id)
    if current is None or current.state is not AttemptState.FAILED or current.due_at is None:
        return None
    match report:
        case Ready(urls) | Proven(urls) | Unproven(urls):
            columns = {"output_urls": urls, "due_at": None, **NO_DOUBT}
            if apply_transition(tx, KEEP_WATCHING, current.id, {**columns, **RELEASED_LEASE}):
                history.note(tx, current.video_id, "finished late", now=now, attempt=current.number)
                events.announce(tx, current.video_id, EventType.LATE, attempt=current.number, now=now)
            return Succeed(urls)
        case Failed(message):
            apply_transition(tx, KEEP_WATCHING, current.id, {"due_at": None, **RELEASED_LEASE})
            history.note(tx, current.video_id, "failed late", now=now, attempt=current.number, detail=message)
            if refunds.of_reported_failure(current.provider, report).status is RefundStatus.REFUNDED:
                credits.enter(tx, current.provider, current.id, Entry.REFUNDED, sent_at=now, now=now)
        case _:
            due_at = _next_late_check(tx, policy, attempt, current, report, now)
            apply_transition(tx, KEEP_WATCHING, current.id, {"due_at": due_at, **RELEASED_LEASE}, owner=owner)
    return None


def _next_late_check(
    tx: Tx, policy: Policy, attempt: AttemptRow, current: AttemptRow, report: Finding, now: float
) -> float | None:
    due_at = schedule.next_late_check(current, policy, now=now)
    if due_at is None:
        return None
    if woken_meanwhile(tx, attempt):
        due_at = now + policy.poll_min
    retry_after = report.retry_after if isinstance(report, Unavailable) else None
    return max(due_at, now + (retry_after or 0))


def _note_credentials(tx: Tx, provider: Provider, report: Finding, now: float) -> None:
    if not isinstance(report, Unavailable):
        providers.set_authorized(tx, provider, authorized=True, now=now)
        return
    if report.unauthorized:
        providers.set_authorized(tx, provider, authorized=False, now=now)
    if report.throttled:
        providers.pause(tx, provider, until=now + (report.retry_after or 1.0))
