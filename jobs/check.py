"""Apply, once, what a provider answered to a check.

Whatever learns the truth first settles the attempt; whoever comes second changes nothing.
"""

import math
from typing import assert_never

from jobs import check_claims, clock, late, learning, settle
from jobs.decide import AttemptSucceeded, CheckAgain, Decision, decide, prompted_by
from jobs.learning import Observation
from jobs.policy import Policy
from jobs.results import Finding, Proven, Unproven
from jobs.schedule import NOTHING_LEARNT
from jobs.settle import AttemptFailed
from jobs.transitions import RELEASED_LEASE, WAIT, apply_transition
from providers.reports import Failed, Ready, Unavailable
from schemas.names import DetectedBy, ErrorCode, Provider
from schemas.trace import Trace
from store import attempts, providers, traces
from store.attempts import AttemptRow, AttemptState, CancelState
from store.transaction import Tx


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
        return late.apply_late(tx, policy, attempt, report, owner=owner, now=now)
    ended = isinstance(report, Ready | Failed | Proven | Unproven)
    plan = NOTHING_LEARNT if ended else learning.plan(tx, attempt.provider)
    # A clock that was put back meanwhile does not make the job older than it is.
    asked_at = now if asked_at is None else min(asked_at, now)
    attempt = _with_wish(tx, attempt, report)
    # What ends an attempt does so at whatever age.
    dated = attempt if isinstance(report, Ready | Failed | Proven) else clock.redated(tx, attempt)
    decision = decide(dated, report, policy, now=now, asked_at=asked_at, plan=plan)
    match decision:
        case AttemptSucceeded(urls, media, kept):
            by = prompted_by(attempt)
            applied = settle.succeed(tx, attempt, urls, detected_by=by, now=now, media=media, kept=kept)
            if not applied:
                late.apply_late(tx, policy, attempt, report, owner=owner, now=now)
        case AttemptFailed():
            applied = settle.fail(tx, policy, attempt, decision, now=now)
        case CheckAgain():
            applied = _wait(tx, policy, attempt, decision, owner=owner, now=now)
        case unreachable:
            assert_never(unreachable)
    return decision if applied else None


def apply_traced(
    tx: Tx, policy: Policy, attempt: AttemptRow, report: Finding, *, owner: str, now: float, asked_at: float
) -> tuple[Decision | None, Trace]:
    """Do the same, and give the trace that the attempt's video belongs to, for the log."""
    trace = traces.ask_of_video(tx, attempt.video_id)
    decision = apply(tx, policy, attempt, report, owner=owner, now=now, asked_at=asked_at)
    return decision, trace()


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
    if not isinstance(report, Ready | Failed | Proven) or isinstance(decision, CheckAgain):
        return None
    if attempt.woken_at is not None and prompted_by(attempt) is DetectedBy.WEBHOOK:
        found_at = unfinished_at = attempt.woken_at
    else:
        found_at, unfinished_at = now, max(attempt.checked_at or 0.0, accepted_at)
    if found_at <= accepted_at:
        return None
    return Observation(attempt.provider, unfinished_at - accepted_at, found_at - accepted_at)


def _wait(tx: Tx, policy: Policy, attempt: AttemptRow, wait: CheckAgain, *, owner: str, now: float) -> bool:
    current = attempts.get(tx, attempt.id)
    woken = check_claims.woken_meanwhile(tx, attempt)
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


def _note_credentials(tx: Tx, provider: Provider, report: Finding, now: float) -> None:
    if not isinstance(report, Unavailable):
        providers.set_authorized(tx, provider, authorized=True, now=now)
        return
    if report.unauthorized:
        providers.set_authorized(tx, provider, authorized=False, now=now)
    if report.throttled:
        providers.pause(tx, provider, until=now + (report.retry_after or 1.0))
