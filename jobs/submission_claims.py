"""Claim attempts to submit: as many as the provider's budget, its circuit and its checks leave."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from jobs import budget, circuit, shares
from jobs.circuit import Gate
from jobs.policy import ABANDONED_LEASE_SECONDS, LEASE_SECONDS, STORE_POLL_SECONDS, Policy
from jobs.submit import mark_outcome_unknown, release
from jobs.transitions import CLAIM, apply_to_held
from schemas.names import Provider
from store import attempts, circuits, due_attempts, videos
from store.attempts import AttemptRow, AttemptState
from store.circuits import CircuitRow
from store.transaction import Tx
from store.unreadable import Kind, each_of_many
from store.videos import VideoRow


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
    dead: Sequence[AttemptRow] = (),
    fetched: Collection[AttemptRow] | None = None,
) -> Claim:
    """Claim up to `room` attempts to submit, as far as the provider's budget goes.

    What a dead process left in `sending` is not claimed: its outcome is unknown from now on. `dead` are those whose
    owners were seen to be dead (`jobs.sightings`). Where pictures must be fetched first, `fetched` are the owner's
    attempts whose pictures are there; others with a picture elsewhere are left alone.
    """
    forgotten = now - ABANDONED_LEASE_SECONDS
    _give_up_orphans(tx, policy, dead, now)
    asked = budget.ask_allowance(tx, policy, provider, now=now, submitting=True)
    share, asked_gate = (
        shares.ask_for_submissions(tx, policy, provider, now=now),
        circuit.ask_gate(tx, provider, now=now),
    )
    allowed, gate = asked(), asked_gate()
    spare = share(allowed) if allowed.requests else 0
    limit = min(room, spare) if gate.room is None else min(room, spare, gate.room)
    uploaded = fetched is not None
    ready = [attempt for attempt in fetched or () if _held(tx, attempt, owner)]
    lost = frozenset(attempt.id for attempt in fetched or ()) - {attempt.id for attempt in ready}
    found = (
        due_attempts.to_submit(
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
        return Claim(work, due_attempts.next_due(tx, TO_SUBMIT, provider, after=now if uploaded else 0.0), lost)
    return Claim(work, allowed.again_at, lost)


def _give_up_orphans(tx: Tx, policy: Policy, dead: Sequence[AttemptRow], now: float) -> None:
    message = "the process that sent it died before it recorded the answer"
    parts = {
        orphan.id: partial(mark_outcome_unknown, tx, policy, orphan, message, owner=orphan.lease_owner, now=now)
        for orphan in dead
    }
    each_of_many(tx, Kind.ATTEMPT, parts, now=now)


def _held(tx: Tx, attempt: AttemptRow, owner: str) -> bool:
    current = attempts.get(tx, attempt.id)
    return current is not None and current.state is AttemptState.CLAIMED and current.lease_owner == owner


def claim_each(tx: Tx, found: Sequence[AttemptRow], *, owner: str, now: float) -> list[tuple[AttemptRow, VideoRow]]:
    """Give an owner the leases of attempts; give those, each with its video, that could be claimed."""
    asked = {provider: circuits.ask(tx, provider) for provider in {attempt.provider for attempt in found}}
    video_of = videos.ask_each(tx, [attempt.video_id for attempt in found])
    over = {provider: read() for provider, read in asked.items()}
    parts = {
        attempt.id: partial(_claimed, tx, attempt, video_of, over[attempt.provider], owner, now) for attempt in found
    }
    tried = each_of_many(tx, Kind.ATTEMPT, parts, now=now)
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
    """Test the provider by the one attempt that comes through; the others wait without their pictures."""
    testing = {attempt.id for attempt, _ in work}
    for attempt_id in testing:
        circuit.probe(tx, provider, attempt_id)
    given_back = {attempt.id for attempt in ready} - testing
    for attempt_id in given_back:
        release(tx, attempt_id, owner=owner, now=now)
    return Claim(work, gate.again_at, lost | given_back, is_probe=bool(work))


def _claimed(
    tx: Tx,
    attempt: AttemptRow,
    video_of: Callable[[str], VideoRow | None],
    over: CircuitRow,
    owner: str,
    now: float,
) -> tuple[AttemptRow, VideoRow] | None:
    until = now + LEASE_SECONDS
    columns = {"lease_owner": owner, "lease_until": until, "due_at": until}
    video = video_of(attempt.video_id)
    if video is None or not apply_to_held(tx, CLAIM, attempt, columns):
        return None
    if over.closed_at is not None and (attempt.due_at or now) < over.closed_at:
        circuit.note_wait(tx, attempt, over, now=now)
    return attempt, video
