"""What a webhook does: it is kept, it makes a check due, and it can prove that a lost submission was accepted."""

from collections.abc import Iterable

from jobs import budget, check, check_claims, clock, settle, submit
from jobs.policy import LATE_RESULT_SECONDS, LEASE_SECONDS, Policy
from jobs.transitions import KEEP_WAITING, KEEP_WATCHING, RELEASED_LEASE, apply_transition
from providers.reports import Accepted, Handle, Report, WebhookHint
from schemas.names import DetectedBy, Provider
from store import attempt_leases, attempts, webhooks
from store.attempts import AttemptRow, AttemptState
from store.transaction import Tx
from store.webhooks import Webhook

_NAMED_PER_BODY = 2
_ASKED_AT_ONCE = 2

LARGEST_KEPT_BODY = 64 * 1024
"""Bytes of a webhook's body above which it is dropped; the delivery itself still counts."""


def kept(tx: Tx, attempt_id: str) -> list[Webhook]:
    """Read the newest deliveries for an attempt."""
    return webhooks.of_attempt(tx, attempt_id)


def telling(tx: Tx, attempt_id: str) -> list[Webhook]:
    """Read the newest deliveries for an attempt that came with a body: those without cannot hide them."""
    return webhooks.with_bodies(tx, attempt_id)


def unclaimed_ids(tx: Tx, attempt: AttemptRow, provider_job_ids: Iterable[str]) -> list[str]:
    """Keep those of a provider's job ids that belong to no other attempt."""
    asked = {job_id: attempts.ask_owner_of_job(tx, attempt.provider, job_id) for job_id in provider_job_ids}
    owners = {job_id: read() for job_id, read in asked.items()}
    return [job_id for job_id, owner in owners.items() if owner in {None, attempt.id}]


def named(hints: Iterable[WebhookHint]) -> list[str]:
    """List the jobs that bodies name, the first few of each: whoever learns the address can name any number."""
    return list(dict.fromkeys(job_id for hint in hints for job_id in hint.provider_job_ids[:_NAMED_PER_BODY]))


def in_turn(attempt: AttemptRow, named: list[str]) -> list[str]:
    """Choose the few jobs to ask about now, so that in a while all are asked about, however many are lies."""
    if not named:
        return []
    start = attempt.doubt_count % len(named)
    return [*named[start:], *named[:start]][:_ASKED_AT_ONCE]


def may_ask(tx: Tx, policy: Policy, provider: Provider, *, now: float) -> bool:
    """Take one more question out of the provider's budget; say whether there was one."""
    allowed = budget.allowance(tx, policy, provider, now=now)
    budget.spend(tx, provider, allowed, min(allowed.requests, 1), now=now)
    return allowed.requests > 0


def confirm_job(
    tx: Tx, policy: Policy, attempt: AttemptRow, job: Handle, report: Report, *, owner: str, now: float
) -> None:
    """Go on with a job that a webhook named, or a search found, and the provider confirmed by `report`."""
    tx.lock(f"job {job.id} of {attempt.provider}")  # so that no two attempts take one job as theirs
    if not unclaimed_ids(tx, attempt, [job.id]):
        keep_waiting(tx, policy, attempt, owner=owner, now=now)
        return
    proof = Accepted(job.id, details=job.details)
    submit.accepted(tx, policy, attempt, proof, sent_at=attempt.submitted_at or now, now=now)
    current = attempts.get(tx, attempt.id)
    if current is None or current.due_at is None or current.provider_job_id != job.id:
        return
    attempt_leases.lease(tx, [attempt.id], owner=owner, until=now + LEASE_SECONDS, checked_at=now)
    # As it was claimed, so that the webhook counts as what prompted this.
    check.apply(tx, policy, current._replace(checked_at=attempt.checked_at), report, owner=owner, now=now)


def accept_unverified(tx: Tx, policy: Policy, attempt: AttemptRow, urls: tuple[str, ...], *, now: float) -> None:
    """Take a webhook's word for a video whose job nobody can ask about; only where the operator allows it."""
    if not _still_unconfirmed(tx, attempt):
        return
    submit.accepted(tx, policy, attempt, Accepted(None), sent_at=attempt.submitted_at or now, now=now)
    settle.found(tx, policy, attempt, urls, detected_by=DetectedBy.WEBHOOK, now=now)


def fail_unconfirmed(tx: Tx, policy: Policy, attempt: AttemptRow, message: str, *, now: float) -> None:
    """Fail a lost submission for which no proof can come any more."""
    if _still_unconfirmed(tx, attempt):
        settle.fail(tx, policy, attempt, submit.unknown(message), now=now)


def keep_waiting(
    tx: Tx, policy: Policy, attempt: AttemptRow, *, owner: str, named: int = 0, asked: int = 0, now: float
) -> None:
    """Wait on for the proof of a lost submission, or fail it when the wait is over.

    So many jobs were `named` by webhooks and `asked` about now, and the provider has confirmed none of them yet.
    """
    deadline = (clock.redated(tx, attempt).doubt_since or now) + policy.confirm_wait
    # Bounded, so that somebody who floods the address cannot put the end off for ever.
    woken = check_claims.woken_meanwhile(tx, attempt) and now < deadline + policy.poll_max
    if now >= deadline and not woken:
        fail_unconfirmed(tx, policy, attempt, attempt.doubt or "no webhook proved that it was accepted", now=now)
        return
    due_at = now + policy.poll_min
    if not woken:
        due_at = min(deadline, now + _gap(policy, attempt, named)) if named else deadline
    columns = {"due_at": due_at, "doubt_count": attempt.doubt_count + asked}
    apply_transition(tx, KEEP_WAITING, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner)


def _gap(policy: Policy, attempt: AttemptRow, named: int) -> float:
    """Say how long to wait before the next jobs are asked about: twice as long each time that all had their turn."""
    return min(policy.poll_min * 2.0 ** min(attempt.doubt_count // named, 10), policy.poll_max)


def watch_on(
    tx: Tx, policy: Policy, attempt: AttemptRow, *, owner: str, named: int = 0, asked: int = 0, now: float
) -> None:
    """Leave a submission that was given up as unknown to the next webhook, or look again if jobs are named."""
    watched = named > 0 and now < (attempt.finished_at or now) + LATE_RESULT_SECONDS
    columns = {"due_at": now + policy.poll_max if watched else None, "doubt_count": attempt.doubt_count + asked}
    apply_transition(tx, KEEP_WATCHING, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner)


def _still_unconfirmed(tx: Tx, attempt: AttemptRow) -> bool:
    current = attempts.get(tx, attempt.id)
    return current is not None and current.state is AttemptState.UNCONFIRMED
