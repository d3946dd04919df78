"""The steps of a submission, the one thing that can cost money twice.

An attempt is claimed, becomes `sending` in a commit made at the last instant at which nothing was sent, and
from then on is never sent again by anybody unless the provider certainly did not take it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from jobs import budget, check, circuit, learning, outage, refunds, routing, schedule, settle, shares
from jobs import events as video_events
from jobs.announced import enabled_anywhere
from jobs.circuit import Gate, Takers
from jobs.policy import ABANDONED_LEASE_SECONDS, LEASE_SECONDS, STORE_POLL_SECONDS, Policy
from jobs.settle import AttemptFailed
from jobs.transitions import (
    ACCEPT,
    CLAIM,
    KEEP_WATCHING,
    NAME_JOB,
    OUTCOME_UNKNOWN,
    RELEASE,
    RELEASED_LEASE,
    RETRY,
    SEND,
    apply_transition,
)
from providers.capabilities import Lookup
from providers.registry import capabilities
from providers.reports import Accepted, Failed, NotAcceptedYet, Ready, Refused
from schemas.names import DetectedBy, ErrorCode, EventType, Provider, VideoStatus
from store import attempts, circuits, credits, history, providers, videos
from store.attempts import AttemptRow, AttemptState
from store.credits import Entry
from store.transaction import Signal, Tx
from store.unreadable import Kind, one_of_many
from store.videos import VideoRow

UNROUTED_SECONDS = 30.0
"""How long a video waits for a generator that has a provider for it."""

ROUTED_AT_ONCE = 100
"""Few, because it runs beside everything else."""


def route(tx: Tx, policy: Policy, *, now: float) -> int:
    """Choose a provider for accepted videos, oldest first; say how many were taken care of.

    One that no generator seems to have is left for a while to those that may be just starting.
    """
    found = videos.accepted(tx, limit=ROUTED_AT_ONCE, now=now)
    enabled = (enabled_anywhere(tx, policy.providers) if found else None) or ()
    takers = circuit.Takers(tx, policy, now=now)
    routed = [
        one_of_many(tx, Kind.VIDEO, video.id, partial(_route, tx, enabled, takers, video, now), now=now)
        for video in found
    ]
    return sum(each is not False for each in routed)


def _route(tx: Tx, enabled: Sequence[Provider], takers: Takers, video: VideoRow, now: float) -> bool:
    provider = routing.choose_first(video.choice, video.motion, enabled, takers.willing())
    if provider is not None:
        takers.chosen(provider)
        settle.begin_attempt(tx, video.id, provider, number=1, now=now)
        return True
    if now < video.created_at + UNROUTED_SECONDS:
        return False
    return settle.fail_unrouted(tx, video.id, "no enabled provider has this motion any more", now=now)


@dataclass(frozen=True, slots=True)
class Claim:
    """Attempts that are the owner's to submit, each with its video, and when to look for more."""

    work: list[tuple[AttemptRow, VideoRow]]
    again_at: float | None
    lost: frozenset[str] = frozenset()
    """Of those whose picture was fetched, the ones that another process has taken over meanwhile."""
    is_probe: bool = False
    """Whether the one attempt tests a provider that was away."""


TO_SUBMIT = (AttemptState.WAITING, AttemptState.CLAIMED, AttemptState.SENDING)


def claim(
    tx: Tx,
    policy: Policy,
    provider: Provider,
    *,
    owner: str,
    room: int,
    now: float,
    dead: Sequence[AttemptRow] | None = None,
    fetched: Collection[AttemptRow] | None = None,
) -> Claim:
    """Claim up to `room` attempts to submit, as far as the provider's budget goes.

    What a dead process left in `sending` is not claimed: its outcome is unknown from now on. `dead` are those whose
    owners were seen to be dead; without it, those whose leases have run out by the wall clock. Where pictures must
    be fetched first, `fetched` are the owner's attempts whose pictures are there; others with a picture elsewhere
    are left alone.
    """
    forgotten = now - ABANDONED_LEASE_SECONDS
    if dead is None:
        dead = attempts.orphans(tx, provider, owner=owner, now=now, forgotten_before=forgotten)
    for orphan in dead:
        message = "the process that sent it died before it recorded the answer"
        losing = partial(mark_outcome_unknown, tx, policy, orphan, message, owner=orphan.lease_owner, now=now)
        one_of_many(tx, Kind.ATTEMPT, orphan.id, losing, now=now)
    allowed = budget.allowance(tx, policy, provider, now=now)
    spare = shares.for_submissions(tx, policy, provider, allowed.requests, now=now) if allowed.requests else 0
    gate = circuit.gate(tx, provider, now=now)
    limit = min(room, spare) if gate.room is None else min(room, spare, gate.room)
    uploaded = fetched is not None
    ready = [attempt for attempt in fetched or () if _held(tx, attempt, owner)]
    lost = frozenset(attempt.id for attempt in fetched or ()) - {attempt.id for attempt in ready}
    found = (
        attempts.to_submit(
            tx, provider, owner=owner, now=now, forgotten_before=forgotten, limit=limit, uploaded=uploaded
        )
        if limit
        else []
    )
    due = sorted([*found, *ready], key=lambda attempt: attempt.due_at or now)[:limit]
    work = claim_each(tx, due, owner=owner, now=now)
    budget.spend(tx, provider, allowed, len(work), now=now)
    if gate.room is not None:
        return _through(tx, provider, gate, work, ready, lost, owner=owner, now=now)
    if spare < allowed.requests:
        return Claim(work, now + STORE_POLL_SECONDS, lost)
    if len(work) < allowed.requests:
        # What is due and not claimed waits for its picture, and whoever fetches that wakes us.
        return Claim(work, attempts.next_due(tx, TO_SUBMIT, provider, after=now if uploaded else 0.0), lost)
    return Claim(work, allowed.again_at, lost)


def _held(tx: Tx, attempt: AttemptRow, owner: str) -> bool:
    current = attempts.get(tx, attempt.id)
    return current is not None and current.state is AttemptState.CLAIMED and current.lease_owner == owner


def claim_each(tx: Tx, found: Sequence[AttemptRow], *, owner: str, now: float) -> list[tuple[AttemptRow, VideoRow]]:
    """Give an owner the leases of attempts; give those, each with its video, that could be claimed."""
    tried = [
        one_of_many(tx, Kind.ATTEMPT, attempt.id, partial(_claimed, tx, attempt, owner, now), now=now)
        for attempt in found
    ]
    return [claimed for claimed in tried if claimed is not None]


def _through(
    tx: Tx,
    provider: Provider,
    gate: Gate,
    work: list[tuple[AttemptRow, VideoRow]],
    ready: Sequence[AttemptRow],
    lost: frozenset[str],
    *,
    owner: str,
    now: float,
) -> Claim:
    """Have the one attempt that comes through test the provider; the others wait without their pictures."""
    testing = {attempt.id for attempt, _ in work}
    for attempt_id in testing:
        circuit.probe(tx, provider, attempt_id)
    given_back = {attempt.id for attempt in ready} - testing
    for attempt_id in given_back:
        release(tx, attempt_id, owner=owner, now=now)
    return Claim(work, gate.again_at, lost | given_back, is_probe=bool(work))


def _claimed(tx: Tx, attempt: AttemptRow, owner: str, now: float) -> tuple[AttemptRow, VideoRow] | None:
    video = videos.get(tx, attempt.video_id)
    until = now + LEASE_SECONDS
    columns = {"lease_owner": owner, "lease_until": until, "due_at": until}
    if video is None or not apply_transition(tx, CLAIM, attempt.id, columns):
        return None
    over = circuits.get(tx, attempt.provider)
    if over.closed_at is not None and (attempt.due_at or now) < over.closed_at:
        circuit.note_wait(tx, attempt, over, now=now)
    return attempt, video


def send(tx: Tx, attempt_id: str, *, owner: str, now: float) -> bool:
    """Note that the request leaves now; say whether the owner may still send it."""
    return apply_transition(tx, SEND, attempt_id, {"submitted_at": now}, owner=owner)


def release(tx: Tx, attempt_id: str, *, owner: str, now: float) -> None:
    """Give back an attempt of which certainly nothing was sent."""
    if apply_transition(tx, RELEASE, attempt_id, {"due_at": now, **RELEASED_LEASE}, owner=owner):
        tx.notify(Signal.SUBMISSIONS)


def accepted(tx: Tx, policy: Policy, attempt: AttemptRow, answer: Accepted, *, sent_at: float, now: float) -> None:
    """Record that a provider took a job, whoever learnt it and however late."""
    current = attempts.get(tx, attempt.id) or attempt
    if _is_anothers(tx, current, answer.provider_job_id):
        mark_outcome_unknown(tx, policy, current, "the provider named a job that belongs to another video", now=now)
        return
    _enter_spent(tx, current, answer, sent_at, now)
    providers.set_authorized(tx, current.provider, authorized=True, now=now)
    providers.set_solvent(tx, current.provider, solvent=True, now=now)
    due_at = now if current.woken_at else _first_check(tx, policy, current.provider, now)
    columns = {**_named(answer), "accepted_at": now, "due_at": due_at}
    if not apply_transition(tx, ACCEPT, current.id, {**columns, **schedule.NO_DOUBT, **RELEASED_LEASE}):
        _accepted_too_late(tx, policy, current, answer, now)
        return
    video_id, number = current.video_id, current.number
    from_states = (VideoStatus.ACCEPTED, VideoStatus.SUBMITTING)
    videos.move(tx, video_id, VideoStatus.GENERATING, from_states=from_states, provider=current.provider, now=now)
    video_events.announce(tx, video_id, EventType.SUBMITTED, attempt=number, now=now)
    if due_at <= now + STORE_POLL_SECONDS:
        tx.notify(Signal.CHECKS)
    _finish_at_once(tx, policy, current, answer, now)


def _named(answer: Accepted) -> dict[str, object]:
    """Give the columns by which a job is asked about."""
    return {"provider_job_id": answer.provider_job_id, "job_details": dict(answer.details) or None}


def _is_anothers(tx: Tx, attempt: AttemptRow, provider_job_id: str | None) -> bool:
    owner = attempts.owner_of_job(tx, attempt.provider, provider_job_id) if provider_job_id else None
    return owner not in {None, attempt.id}


def _first_check(tx: Tx, policy: Policy, provider: Provider, now: float) -> float:
    # Where a webhook should come, after its grace, whatever was learnt.
    plan = schedule.NOTHING_LEARNT if capabilities(provider).calls_back else learning.plan(tx, provider)
    return schedule.first_check(provider, policy, accepted_at=now, plan=plan)


def _finish_at_once(tx: Tx, policy: Policy, attempt: AttemptRow, answer: Accepted, now: float) -> None:
    match answer.finished:
        case Ready(urls):
            settle.succeed(tx, attempt, urls, detected_by=DetectedBy.POLL, now=now)
        case Failed() as report:
            refund = refunds.of_reported_failure(attempt.provider, report)
            failing = AttemptFailed(report.code, report.message, refund, DetectedBy.POLL)
            settle.fail(tx, policy, attempt, failing, now=now)
        case None:
            return


def _accepted_too_late(tx: Tx, policy: Policy, attempt: AttemptRow, answer: Accepted, now: float) -> None:
    """Keep the job of an attempt that has ended meanwhile, so that it can still be found and is nobody else's."""
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
        check.apply_late(tx, policy, attempt, answer.finished, now=now)


def _enter_spent(tx: Tx, attempt: AttemptRow, answer: Accepted, sent_at: float, now: float) -> None:
    if attempt.error_code is ErrorCode.SUBMISSION_UNKNOWN:
        credits.strike_unknown(tx, attempt.id)
    credits.enter(tx, attempt.provider, attempt.id, Entry.SPENT, sent_at=sent_at, now=now, remaining=answer.remaining)


def not_accepted(
    tx: Tx, policy: Policy, attempt: AttemptRow, answer: NotAcceptedYet, *, owner: str, now: float
) -> None:
    """Have an attempt tried again later, or fail it when it was tried often enough."""
    if answer.throttled:
        providers.pause(tx, attempt.provider, until=now + (answer.retry_after or 1.0))
    tries = attempt.tries + 1
    due_at = outage.another_try(tx, policy, attempt, answer, now=now)
    if due_at is None:
        message = f"not accepted in {tries} tries: {answer.message}"
        failing = AttemptFailed(ErrorCode.PROVIDER_UNAVAILABLE, message, refunds.NOT_CHARGED)
        settle.fail(tx, policy, attempt, failing, now=now, owner=owner)
        return
    since = outage.waits_since(tx, attempt, now=now)
    columns = {"tries": tries, "due_at": due_at, "doubt": answer.message, "doubt_since": since}
    if apply_transition(tx, RETRY, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner):
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
    if capabilities(attempt.provider).lookup is Lookup.NONE:
        settle.fail(tx, policy, current, unknown(message), now=now)
        return
    due_at = now if current.woken_at else now + policy.confirm_wait
    columns = {"due_at": due_at, "doubt": message, "doubt_since": now}
    if apply_transition(tx, OUTCOME_UNKNOWN, attempt.id, {**columns, **RELEASED_LEASE}):
        history.note(tx, attempt.video_id, "outcome unknown", now=now, attempt=attempt.number, detail=message)
        tx.notify(Signal.CHECKS)


def unknown(message: str) -> AttemptFailed:
    """Name the failure of a submission that may have been accepted."""
    return AttemptFailed(ErrorCode.SUBMISSION_UNKNOWN, f"the outcome is unknown: {message}", refunds.UNKNOWN)
