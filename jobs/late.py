"""Late truth: what becomes of an attempt that was given up."""

from jobs import check_claims, events, refunds, schedule
from jobs.decide import AttemptSucceeded, Decision
from jobs.policy import Policy
from jobs.results import Finding, Proven, Unproven
from jobs.schedule import NO_DOUBT
from jobs.transitions import KEEP_WATCHING, RELEASED_LEASE, apply_transition
from providers.reports import Failed, Ready, Unavailable
from schemas.names import EventType, RefundStatus
from store import attempts, credits, history
from store.attempts import AttemptRow, AttemptState
from store.credits import Entry
from store.transaction import Tx


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
            return AttemptSucceeded(urls)
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
    if check_claims.woken_meanwhile(tx, attempt):
        due_at = now + policy.poll_min
    retry_after = report.retry_after if isinstance(report, Unavailable) else None
    return max(due_at, now + (retry_after or 0))
