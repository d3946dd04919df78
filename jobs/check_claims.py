"""Claim attempts to check: what is due, and what a webhook or a caller made due."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jobs import audit, budget
from jobs.policy import LATE_RESULT_SECONDS, LEASE_SECONDS, Policy
from jobs.transitions import KEEP_WAITING, KEEP_WATCHING, RELEASED_LEASE, WAIT, apply_transition
from schemas.audit import AuditAction
from schemas.names import Provider
from store import attempt_leases, attempts, due_attempts, webhooks
from store.attempts import AttemptRow, AttemptState
from store.transaction import Signal, Tx

HANDED_OVER_AT_ONCE = 100
"""Webhooks handed to their attempts with one claim; few, because it runs beside everything else."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Attempts whose provider is the owner's to ask, and when to look for more."""

    work: list[AttemptRow]
    again_at: float | None
    late: list[Provider] = field(default_factory=list)
    """The provider of each attempt that had ended when a webhook came for it."""


_TO_CHECK = (AttemptState.UNCONFIRMED, AttemptState.GENERATING)


def claim(tx: Tx, policy: Policy, provider: Provider, *, owner: str, room: int, now: float) -> Claim:
    """Claim up to `room` due attempts, longest overdue first, those given up last, as far as the budget goes.

    Attempts for which webhooks came have become due by then.
    """
    asked = budget.ask_allowance(tx, policy, provider, now=now)
    woken = _hand_over_webhooks(tx, policy, now=now)
    allowed = asked()
    limit = min(room, allowed.requests)
    work = due_attempts.to_check(tx, provider, now=now, limit=limit) if limit else []
    late = [each for read in woken if (each := read()) is not None]
    ids = [attempt.id for attempt in work]
    attempt_leases.lease(tx, ids, owner=owner, until=now + LEASE_SECONDS, checked_at=now)
    budget.spend(tx, provider, allowed, len(work), now=now)
    if len(work) < allowed.requests:
        return Claim(work, due_attempts.next_due(tx, _TO_CHECK, provider), late)
    return Claim(work, allowed.again_at, late)


def hasten(tx: Tx, video_id: str, *, caller: str, pause: float, now: float) -> bool:
    """Make the checks of a video due for a caller who asks for that; say whether any provider has it in work."""
    hastened = due_attempts.hasten(tx, video_id, now=now, pause=pause)
    if hastened:
        tx.notify(Signal.CHECKS)
        audit.record(tx, AuditAction.CHECKED, actor=caller, subject=video_id, now=now)
    return hastened


def _hand_over_webhooks(tx: Tx, policy: Policy, *, now: float) -> list[Callable[[], Provider | None]]:
    """Make the attempts due for which webhooks came, each once; give what names those that had ended."""
    found = webhooks.unhandled(tx, limit=HANDED_OVER_AT_ONCE)
    # Left for the next look: to wait here for a transaction that settles would hold up all that is due.
    held = attempt_leases.held_elsewhere(tx, {attempt_id for _, attempt_id in found})
    rows = [row for row in found if row[1] not in held]
    woken = [
        due_attempts.ask_mark_due(tx, attempt_id, now=now, pause=policy.poll_min, watched=LATE_RESULT_SECONDS)
        for attempt_id in dict.fromkeys(attempt_id for _, attempt_id in rows)
    ]
    webhooks.mark_handled(tx, [row_id for row_id, _ in rows], now=now)
    if len(found) == HANDED_OVER_AT_ONCE:
        tx.notify(Signal.CHECKS)
    return woken


def release(tx: Tx, attempt: AttemptRow, *, owner: str, now: float) -> None:
    """Give back an attempt that was claimed but not asked about; it is due again at once."""
    step = {AttemptState.UNCONFIRMED: KEEP_WAITING, AttemptState.GENERATING: WAIT}.get(attempt.state, KEEP_WATCHING)
    apply_transition(tx, step, attempt.id, {"due_at": now, **RELEASED_LEASE}, owner=owner)


def woken_meanwhile(tx: Tx, attempt: AttemptRow) -> bool:
    """Say whether a webhook came since this check began. `attempt` is as claimed."""
    current = attempts.get(tx, attempt.id)
    return current is not None and current.woken_at != attempt.woken_at
