"""What a webhook does: it is kept, it makes a check due, and it can prove that a lost submission was accepted."""

from collections.abc import Iterable

from jobs import check, settle, submit
from jobs.policy import LATE_RESULT_SECONDS, LEASE_SECONDS, Policy
from jobs.transitions import KEEP_WAITING, KEEP_WATCHING, RELEASED_LEASE, apply_transition
from providers.reports import Accepted, Report
from schemas.names import DetectedBy
from store import attempts, webhooks
from store.attempts import AttemptRow, AttemptState
from store.transaction import Tx
from store.webhooks import Webhook

_ASKED_AT_ONCE = 8

LARGEST_KEPT_BODY = 64 * 1024
"""Bytes of a webhook's body above which it is dropped; the delivery itself still counts."""


def kept(tx: Tx, attempt_id: str) -> list[Webhook]:
    """Read the newest deliveries for an attempt."""
    return webhooks.of_attempt(tx, attempt_id)


def unclaimed_ids(tx: Tx, attempt: AttemptRow, provider_job_ids: Iterable[str]) -> list[str]:
    """Keep the first few of a provider's job ids that belong to no other attempt.

    Few, because anybody who learns the webhook's address can make bodies name any number of them.
    """
    owners = {job_id: attempts.owner_of_job(tx, attempt.provider, job_id) for job_id in provider_job_ids}
    return [job_id for job_id, owner in owners.items() if owner in {None, attempt.id}][:_ASKED_AT_ONCE]


def confirm_job(
    tx: Tx, policy: Policy, attempt: AttemptRow, provider_job_id: str, report: Report, *, owner: str, now: float
) -> None:
    """Go on with a job that a webhook named and the provider confirmed by `report`."""
    tx.lock(f"job {provider_job_id} of {attempt.provider}")  # so that no two attempts take one job as theirs
    if not unclaimed_ids(tx, attempt, [provider_job_id]):
        keep_waiting(tx, policy, attempt, owner=owner, soon=False, now=now)
        return
    proof = Accepted(provider_job_id)
    submit.accepted(tx, policy, attempt, proof, sent_at=attempt.submitted_at or now, now=now)
    current = attempts.get(tx, attempt.id)
    if current is None or current.due_at is None or current.provider_job_id != provider_job_id:
        return
    attempts.lease(tx, [attempt.id], owner=owner, until=now + LEASE_SECONDS, checked_at=now)
    # As it was claimed, so that the webhook counts as what prompted this.
    check.apply(tx, policy, current._replace(checked_at=attempt.checked_at), report, owner=owner, now=now)


def accept_unverified(tx: Tx, policy: Policy, attempt: AttemptRow, urls: tuple[str, ...], *, now: float) -> None:
    """Take a webhook's word for a video whose job nobody can ask about; only where the operator allows it."""
    if not _still_unconfirmed(tx, attempt):
        return
    submit.accepted(tx, policy, attempt, Accepted(None), sent_at=attempt.submitted_at or now, now=now)
    settle.succeed(tx, attempt, urls, detected_by=DetectedBy.WEBHOOK, now=now)


def fail_unconfirmed(tx: Tx, policy: Policy, attempt: AttemptRow, message: str, *, now: float) -> None:
    """Fail a lost submission for which no proof can come any more."""
    if _still_unconfirmed(tx, attempt):
        settle.fail(tx, policy, attempt, submit.unknown(message), now=now)


def keep_waiting(tx: Tx, policy: Policy, attempt: AttemptRow, *, owner: str, soon: bool, now: float) -> None:
    """Wait on for the proof of a lost submission, or fail it when the wait is over.

    `soon` says that a webhook named a job that the provider has not confirmed yet.
    """
    deadline = (attempt.doubt_since or now) + policy.confirm_wait
    # Bounded, so that somebody who floods the address cannot put the end off for ever.
    woken = check.woken_meanwhile(tx, attempt) and now < deadline + policy.poll_max
    if now >= deadline and not woken:
        fail_unconfirmed(tx, policy, attempt, attempt.doubt or "no webhook proved that it was accepted", now=now)
        return
    due_at = now + policy.poll_min
    if not woken:
        due_at = min(deadline, due_at) if soon else deadline
    apply_transition(tx, KEEP_WAITING, attempt.id, {"due_at": due_at, **RELEASED_LEASE}, owner=owner)


def watch_on(tx: Tx, policy: Policy, attempt: AttemptRow, *, owner: str, soon: bool, now: float) -> None:
    """Leave a submission that was given up as unknown to the next webhook, or look again if `soon`, for a day."""
    watched = soon and now < (attempt.finished_at or now) + LATE_RESULT_SECONDS
    apply_transition(
        tx,
        KEEP_WATCHING,
        attempt.id,
        {"due_at": now + policy.poll_max if watched else None, **RELEASED_LEASE},
        owner=owner,
    )


def _still_unconfirmed(tx: Tx, attempt: AttemptRow) -> bool:
    current = attempts.get(tx, attempt.id)
    return current is not None and current.state is AttemptState.UNCONFIRMED
