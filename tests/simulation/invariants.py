"""What must hold when all is quiet again, held against the peers' own records and what subscribers got."""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from jobs import ledger, view
from providers.capabilities import Lookup
from providers.reports import Failed, Ready
from schemas.cancellation import Cancellation
from schemas.names import CancelOutcome, ErrorCode, Provider, RefundStatus
from schemas.video import Video
from store import attempts, outbox
from store.attempts import AttemptRow, AttemptState
from tests.simulation.outsiders import EVIL
from tests.simulation.peers import PaidJob
from tests.simulation.retries import paid_silently, together
from tests.simulation.world import SimulatedWorld

TERMINAL = {"video.ready", "video.failed"}
UNSURE = {ErrorCode.SUBMISSION_UNKNOWN, ErrorCode.TIMED_OUT}
CERTAIN = {"busy", "refuse"}
_ROUNDING = 0.001


class Broken(AssertionError):
    """An invariant does not hold."""


def insist(holds: object, rule: str, *what: object) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(f"{rule}: {', '.join(map(str, what))}")


def check_all(world: SimulatedWorld) -> None:
    """Insist on every invariant of a world that has come to rest."""
    events = _delivered(world)
    rows = _attempts(world)
    for video_id in world.accepted:
        _check_video(world, video_id, events[video_id], rows[video_id])
        for row in rows[video_id]:
            _check_attempt(world, row)
            _check_money(world, row)
    insist(set(events) <= set(world.accepted), "nobody hears of what was never accepted", set(events))
    insist(not together(world), "of a video and its retries at most one is in work or ready", together(world))
    insist(not paid_silently(world), "no retry pays twice unless its caller takes the risk", paid_silently(world))
    _check_order(world)
    _check_ledger(world, [row for found in rows.values() for row in found])


def _delivered(world: SimulatedWorld) -> dict[str, list[dict[str, Any]]]:
    """Read what subscribers got, each event once, in the order in which each was first heard of."""
    bodies: dict[str, str] = {}
    heard: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for video_id, event_id, body in world.broker.delivered:
        insist(bodies.setdefault(event_id, body) == body, "the same id always carries the same bytes", event_id)
        event = json.loads(body)
        insist(event["id"] == event_id, "an event carries its own id", event_id)
        if event not in heard[video_id]:
            heard[video_id].append(event)
    return heard


def _attempts(world: SimulatedWorld) -> dict[str, list[AttemptRow]]:
    return world.transact(attempts.of_videos, world.accepted)  # type: ignore[no-any-return]  # the world does any work


def _check_video(world: SimulatedWorld, video_id: str, events: list[dict[str, Any]], rows: list[AttemptRow]) -> None:
    video = world.transact(view.existing, video_id)
    terminal = [event for event in events if event["type"] in TERMINAL]
    insist(len(terminal) == 1, "a video has exactly one terminal event", video_id, [e["type"] for e in events])
    [end] = terminal
    insist(end["id"] in world.broker.confirmed, "the terminal event was confirmed", video_id)
    insist(end["type"] == f"video.{video.status}", "the event says what the API says", video_id, video.status)
    shown = video.model_dump(mode="json")
    for field in ("status", "output_urls", "media", "error", "refund", "completed_at", "provider", "detected_by"):
        insist(end["data"][field] == shown[field], "the video stays as it was announced", video_id, field)
    insist(Counter(e["type"] for e in events)["video.late"] <= len(rows), "a late end is told once", video_id)
    _check_truth(world, video.output_urls, rows)
    _check_proof(world, video)
    _check_cancelled(world, video, rows)
    for row, following in pairwise(rows):
        sure = row.error_code not in UNSURE or world.policy.fallback_when_unsure
        insist(sure, "nobody risks a second credit unless the operator does", row.id, following.id)
        insist(row.error_code is not ErrorCode.IMAGE_REJECTED, "a bad picture goes nowhere else", row.id)


def _check_cancelled(world: SimulatedWorld, video: Video, rows: list[AttemptRow]) -> None:
    """Insist that a cancellation was told as it was, and that nothing was begun after it."""
    answers = world.wishes.get(video.id, [])
    taken = [answer for answer in answers if isinstance(answer, Cancellation)]
    if any(answer.outcome is CancelOutcome.DONE for answer in taken):
        insist(video.error and video.error.code is ErrorCode.CANCELLED, "what is told as done is cancelled", video)
    wished = [row.number for row in rows if row.cancel is not None]
    insist(wished in ([], [len(rows)]), "nobody else tries what somebody wished to stop", video.id, wished)
    if video.error is None or video.error.code is not ErrorCode.CANCELLED:
        return
    insist(taken, "nobody is cancelled who did not wish it", video.id)
    jobs = [job for row in rows for job in _jobs(world, row) if row is rows[-1]]
    insist(all(job.cancelled for job in jobs), "cancelled is what the provider stopped or never had", video.id, jobs)
    kept = video.refund and video.refund.status
    insist(jobs or kept is not RefundStatus.CHARGED, "what no provider had costs nothing", video.id, kept)


def _check_proof(world: SimulatedWorld, video: Video) -> None:
    proves = video.provider in world.policy.proves
    insist((video.media is not None) == (proves and bool(video.output_urls)), "a result is proven where wished", video)
    if proves and video.output_urls:
        job = world.accounts[video.provider or Provider("")].job_at(video.output_urls[0])
        asked = video.output_urls[0] in world.proven and job is not None and not job.is_gone
        insist(asked, "a ready video was there when its address was asked", video.id)


def _check_truth(world: SimulatedWorld, urls: list[str], rows: list[AttemptRow]) -> None:
    jobs = [job for row in rows for job in _jobs(world, row)]
    true = {url for job in jobs if isinstance(job.outcome, Ready) for url in job.outcome.urls}
    insist(set(urls) <= true, "a video's addresses are those its own provider gave", urls)
    late = {url for row in rows for url in row.output_urls}
    insist(late <= true and EVIL not in late, "no attempt shows a stranger's addresses", late)


def _jobs(world: SimulatedWorld, row: AttemptRow) -> list[PaidJob]:
    return [job for job in world.accounts[row.provider].jobs.values() if job.attempt_id == row.id]


def _check_attempt(world: SimulatedWorld, row: AttemptRow) -> None:
    fates = world.accounts[row.provider].arrivals.get(row.id, [])
    by_name = world.offers[row.provider].lookup is Lookup.BY_NAME
    # What was dropped may be sent again where the provider itself was asked for it by its name.
    certain = {*CERTAIN, "drop"} if by_name else CERTAIN
    insist(all(fate in certain for fate in fates[:-1]), "what may have been taken is never sent again", row.id, fates)
    if row.error_code is ErrorCode.SUBMISSION_UNKNOWN:
        insist(row.submitted_at is not None, "what was never sent is not of unknown outcome", row.id)
    jobs = _jobs(world, row)
    insist(len(jobs) <= 1, "an attempt is paid for once", row.id, fates)
    if jobs:
        bound = row.provider_job_id in {jobs[0].id, None}
        insist(bound, "an attempt is bound to its own job", row.id, row.provider_job_id)
        known = row.provider_job_id is not None or row.state is AttemptState.SUCCEEDED
        reported = row.error_code in {ErrorCode.SUBMISSION_UNKNOWN, ErrorCode.GENERATION_FAILED}
        insist(known or reported, "an unknown outcome is reported as such or healed", row.id, row.error_code)
    else:
        insist(row.provider_job_id is None, "nobody invents a job", row.id, row.provider_job_id)
    if world.recorded.get(row.id) is not None:
        insist(row.provider_job_id == world.recorded[row.id], "an answer that was stored is kept", row.id)


def _check_money(world: SimulatedWorld, row: AttemptRow) -> None:
    jobs = _jobs(world, row)
    failed = [job for job in jobs if isinstance(job.outcome, Failed)]
    if row.refund_status is RefundStatus.REFUNDED:
        insist(row.provider == Provider("iacrea"), "HomeDesigns never promises a credit back", row.id)
        insist(failed, "only what IACrea calls failed is refunded", row.id)
    if row.refund_status is RefundStatus.NOT_CHARGED:
        insist(not jobs, "what was taken is not called uncharged", row.id)
    if row.error_code is ErrorCode.GENERATION_FAILED and row.provider == Provider("iacrea") and failed:
        insist(row.refund_status is RefundStatus.REFUNDED, "what IACrea calls failed is refunded", row.id)
    if row.error_code in {*UNSURE, ErrorCode.JOB_LOST}:
        insist(row.refund_status is RefundStatus.UNKNOWN, "our own giving up claims nothing", row.id)
    _check_waits(world, row)


def _check_waits(world: SimulatedWorld, row: AttemptRow) -> None:
    """Insist that nothing was given up before its time, in true seconds, whatever the wall clock did."""
    ended = world.entered.get((row.id, AttemptState.FAILED), 0.0) + _ROUNDING

    def waited(state: AttemptState) -> float:
        return ended - world.entered.get((row.id, state), ended)

    if row.error_code is ErrorCode.JOB_LOST:
        insist(waited(AttemptState.GENERATING) >= 60, "a job is not called lost within its grace", row.id)
    if row.error_code is ErrorCode.SUBMISSION_UNKNOWN and (row.id, AttemptState.UNCONFIRMED) in world.entered:
        waits = waited(AttemptState.UNCONFIRMED) >= world.policy.confirm_wait
        insist(waits, "the proof of a submission is waited for", row.id, waited(AttemptState.UNCONFIRMED))
    if row.error_code is ErrorCode.PROVIDER_UNAVAILABLE and (row.error_message or "").startswith("waited"):
        waits = waited(AttemptState.WAITING) >= world.policy.submit_deadline
        insist(waits, "an outage is waited out", row.id, waited(AttemptState.WAITING))
    if row.error_code is ErrorCode.TIMED_OUT:
        took = waited(AttemptState.GENERATING)
        insist(took >= world.policy.job_timeout, "nothing is given up early", row.id, took)
        _check_last_look(world, row, ended)


def _check_last_look(world: SimulatedWorld, row: AttemptRow, ended: float) -> None:
    """Insist that a job timed out only if somebody asked its provider when its time was over, or was just asking."""
    deadline = world.entered[row.id, AttemptState.GENERATING] + world.policy.job_timeout
    asked = any(look.began_at <= ended and look.ended_at >= deadline for look in world.accounts[row.provider].looks)
    insist(asked, "never timed out if the provider had it when somebody could look", row.id, deadline, ended)


def _check_order(world: SimulatedWorld) -> None:
    stored: dict[str, list[str]] = defaultdict(list)
    for event in world.transact(outbox.after, seq=0, limit=10_000):
        stored[event.video_id].append(event.event_id)
    heard: dict[str, list[str]] = defaultdict(list)
    for video_id, event_id, _ in world.broker.delivered:
        if event_id not in heard[video_id]:
            heard[video_id].append(event_id)
    insist(heard == stored, "each video's events arrive complete and in order", heard, stored)


def _check_ledger(world: SimulatedWorld, rows: list[AttemptRow]) -> None:
    credits = world.transact(ledger.all_credits)
    for name, account in world.accounts.items():
        mine = [row for row in rows if row.provider == name]
        learnt = sum(
            bool(_jobs(world, row)) and (row.accepted_at is not None or row.provider_job_id is not None) for row in mine
        )
        told = credits[name]
        insist(told.spent == learnt, "the ledger holds every acceptance that we learnt of", name, told, learnt)
        unlearnt = len(account.jobs) - learnt
        insist(told.unknown >= unlearnt, "what may have cost a credit is counted as unknown", name, told, unlearnt)
        if name == Provider("iacrea"):
            returned = sum(job.refunded for job in account.jobs.values())
            insist(told.refunded <= returned, "no refund is invented", told, returned)
            unheard = returned - told.refunded
            # Reports are put in order by the wall clock: one that was put back mixes them up.
            adds_up = world.was_put_back or -unlearnt <= told.unexplained <= unheard
            insist(adds_up, "credits add up", told, unlearnt, unheard)
        else:
            insist(told.refunded == 0, "HomeDesigns gives nothing back", told)
