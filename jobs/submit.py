"""The steps of a submission, the one thing that can cost money twice.

An attempt is claimed, becomes `sending` in a commit made at the last instant at which nothing was sent, and
from then on is never sent again by anybody unless the provider certainly did not take it.
"""

from collections.abc import Callable

from jobs import clock, late, learning, outage, refunds, schedule, settle
from jobs import events as video_events
from jobs.policy import STORE_POLL_SECONDS, Policy
from jobs.settle import AttemptFailed
from jobs.transitions import (
    ACCEPT,
    KEEP_WATCHING,
    NAME_JOB,
    OUTCOME_UNKNOWN,
    RELEASE,
    RELEASED_LEASE,
    RETRY,
    SEND,
    WAIT,
    Transition,
    apply_to_held,
    apply_transition,
)
from providers.capabilities import Lookup
from providers.registry import capabilities, lookup_of
from providers.reports import Accepted, Failed, NotAcceptedYet, Ready, Refused
from schemas.names import DetectedBy, ErrorCode, EventType, Provider
from store import attempts, credits, history, providers, videos
from store.attempts import AttemptRow, AttemptState, CancelState
from store.credits import Entry
from store.transaction import Signal, Tx


def send(tx: Tx, attempt_id: str, *, owner: str, now: float) -> bool:
    """Note that the request leaves now; say whether the owner may still send it (fencing)."""
    return apply_transition(tx, SEND, attempt_id, {"submitted_at": now}, owner=owner)


def release(tx: Tx, attempt_id: str, *, owner: str, now: float) -> None:
    """Give back an attempt of which certainly nothing was sent."""
    if apply_transition(tx, RELEASE, attempt_id, {"due_at": now, **RELEASED_LEASE}, owner=owner):
        tx.notify(Signal.SUBMISSIONS)


def accepted(tx: Tx, policy: Policy, attempt: AttemptRow, answer: Accepted, *, sent_at: float, now: float) -> None:
    """Record that a provider took a job, whoever learnt it and however late."""
    asked, owner = attempts.ask(tx, attempt.id), _ask_owner(tx, attempt.provider, answer.provider_job_id)
    held = asked()
    current = held or attempt
    if owner() not in {None, current.id}:
        mark_outcome_unknown(tx, policy, current, "the provider named a job that belongs to another video", now=now)
        return
    _enter_spent(tx, current, answer, sent_at, now)
    providers.set_authorized(tx, current.provider, authorized=True, now=now)
    providers.set_solvent(tx, current.provider, solvent=True, now=now)
    at_once = current.woken_at is not None or current.cancel is CancelState.WISHED
    due_at = now if at_once else _first_check(tx, policy, current.provider, now)
    columns = {**_named(answer), "accepted_at": now, "due_at": due_at}
    columns |= {**schedule.NO_DOUBT, **RELEASED_LEASE}
    if held is None or not apply_to_held(tx, ACCEPT, held, columns):
        _accepted_too_late(tx, policy, current, answer, now)
        return
    video_id, number = current.video_id, current.number
    videos.note_generating(tx, video_id, current.provider, now=now)
    video_events.announce(tx, video_id, EventType.SUBMITTED, attempt=number, now=now)
    if due_at <= now + STORE_POLL_SECONDS:
        tx.notify(Signal.CHECKS)
    _finish_at_once(tx, policy, current, answer, now)


def _named(answer: Accepted) -> dict[str, object]:
    """Give the columns by which a job is asked about."""
    return {"provider_job_id": answer.provider_job_id, "job_details": dict(answer.details) or None}


def _ask_owner(tx: Tx, provider: Provider, provider_job_id: str | None) -> Callable[[], str | None]:
    return attempts.ask_owner_of_job(tx, provider, provider_job_id) if provider_job_id else lambda: None


def _first_check(tx: Tx, policy: Policy, provider: Provider, now: float) -> float:
    # Where a webhook should come, after its grace, whatever was learnt.
    plan = schedule.NOTHING_LEARNT if capabilities(provider).calls_back else learning.plan(tx, provider)
    return schedule.first_check(provider, policy, accepted_at=now, plan=plan)


def _finish_at_once(tx: Tx, policy: Policy, attempt: AttemptRow, answer: Accepted, now: float) -> None:
    match answer.finished:
        case Ready(urls):
            settle.found(tx, policy, attempt, urls, detected_by=DetectedBy.POLL, now=now)
        case Failed() as report:
            refund = refunds.of_reported_failure(attempt.provider, report)
            evidence = refunds.evidence_of(attempt.provider, report)
            failing = AttemptFailed(report.code, report.message, refund, DetectedBy.POLL, evidence)
            settle.fail(tx, policy, attempt, failing, now=now)
        case None:
            return


def _accepted_too_late(tx: Tx, policy: Policy, attempt: AttemptRow, answer: Accepted, now: float) -> None:
    """Keep the job of an attempt that has ended meanwhile, so that it can still be found and is nobody else's."""
    if attempt.state is AttemptState.GENERATING and attempt.provider_job_id is None:
        apply_transition(tx, WAIT, attempt.id, _named(answer))
    if attempt.state is AttemptState.SUCCEEDED and attempt.provider_job_id is None:
        apply_transition(tx, NAME_JOB, attempt.id, _named(answer))
    if attempt.state is not AttemptState.FAILED or attempt.provider_job_id is not None:
        return
    watchable = answer.provider_job_id is not None or answer.finished is not None
    due_at = schedule.next_late_check(attempt, policy, now=now) if watchable else None
    columns = {**_named(answer), "accepted_at": now, "due_at": due_at}
    apply_transition(tx, KEEP_WATCHING, attempt.id, columns)
    history.note(
        tx,
        attempt.video_id,
        "accepted after it was given up",
        now=now,
        attempt=attempt.number,
        detail=answer.provider_job_id,
    )
    if answer.finished is not None:
        late.apply_late(tx, policy, attempt, answer.finished, now=now)


def _enter_spent(tx: Tx, attempt: AttemptRow, answer: Accepted, sent_at: float, now: float) -> None:
    if attempt.error_code is ErrorCode.SUBMISSION_UNKNOWN:
        credits.strike_unknown(tx, attempt.id)
    credits.enter(tx, attempt.provider, attempt.id, Entry.SPENT, sent_at=sent_at, now=now, remaining=answer.remaining)


def not_accepted(
    tx: Tx,
    policy: Policy,
    attempt: AttemptRow,
    answer: NotAcceptedYet,
    *,
    owner: str,
    now: float,
    step: Transition = RETRY,
) -> None:
    """Retry an attempt later, or fail it when it was tried often enough.

    `step` leads back to where it waits.
    """
    if answer.throttled:
        providers.pause(tx, attempt.provider, until=now + (answer.retry_after or 1.0))
    current = attempts.get(tx, attempt.id)
    if current is not None and current.cancel is not None:
        failing = AttemptFailed(ErrorCode.CANCELLED, f"cancelled; not accepted: {answer.message}", refunds.NOT_CHARGED)
        settle.fail(tx, policy, attempt, failing, now=now, owner=owner)
        return
    attempt = clock.redated(tx, attempt)
    # A limit is no failure of the job: it uses up none of its tries.
    tries = attempt.tries if answer.throttled else attempt.tries + 1
    due_at = outage.another_try(tx, policy, attempt, answer, now=now)
    if due_at is None:
        waited = now - outage.waits_since(tx, attempt, now=now)
        how_long = f"for {waited:.0f} s, for a limit" if answer.throttled else f"in {tries} tries"
        message = f"not accepted {how_long}: {answer.message}"
        failing = AttemptFailed(ErrorCode.PROVIDER_UNAVAILABLE, message, refunds.NOT_CHARGED)
        settle.fail(tx, policy, attempt, failing, now=now, owner=owner)
        return
    since = outage.waits_since(tx, attempt, now=now)
    columns = {"tries": tries, "due_at": due_at, "doubt": answer.message, "doubt_since": since}
    if apply_transition(tx, step, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner):
        detail = f"{answer.message}; tried again in {due_at - now:.0f} s"
        history.note(tx, attempt.video_id, "not accepted", now=now, attempt=attempt.number, detail=detail)


def refused(tx: Tx, policy: Policy, attempt: AttemptRow, answer: Refused, *, owner: str, now: float) -> None:
    """Fail an attempt that its provider will never take."""
    if answer.unauthorized:
        providers.set_authorized(tx, attempt.provider, authorized=False, now=now)
    if answer.code is ErrorCode.OUT_OF_CREDITS:
        providers.set_solvent(tx, attempt.provider, solvent=False, now=now)
    failing = AttemptFailed(answer.code, answer.message, refunds.NOT_CHARGED)
    settle.fail(tx, policy, attempt, failing, now=now, owner=owner)


def mark_outcome_unknown(
    tx: Tx, policy: Policy, attempt: AttemptRow, message: str, *, now: float, owner: str | None = None
) -> None:
    """Record that nobody knows whether the provider took the job: it is never sent to that provider again.

    Where a webhook can prove that it took it, the attempt waits for that; elsewhere it fails at once. What is not being
    sent, or with `owner` is being sent by somebody else, cannot be lost and is left alone.
    """
    current = attempts.get(tx, attempt.id)
    if current is None or current.state is not AttemptState.SENDING or owner not in {None, current.lease_owner}:
        return
    if lookup_of(attempt.provider) is Lookup.NONE:
        settle.fail(tx, policy, current, unknown(message), now=now)
        return
    due_at = now if current.woken_at else schedule.first_lookup(attempt.provider, policy, now=now)
    columns = {"due_at": due_at, "doubt": message, "doubt_since": now, "absences": 0}
    if apply_transition(tx, OUTCOME_UNKNOWN, attempt.id, {**columns, **RELEASED_LEASE}):
        history.note(tx, attempt.video_id, "outcome unknown", now=now, attempt=attempt.number, detail=message)
        tx.notify(Signal.CHECKS)


def unknown(message: str) -> AttemptFailed:
    """Name the failure of a submission that may have been accepted."""
    return AttemptFailed(ErrorCode.SUBMISSION_UNKNOWN, f"the outcome is unknown: {message}", refunds.UNKNOWN)
