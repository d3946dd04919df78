"""End an attempt, and with it, where no other provider is to be tried, its video: once, with its one event."""

from dataclasses import dataclass

from uuid_utils.compat import uuid7

from jobs import events, routing, view
from jobs.announced import enabled_anywhere
from jobs.policy import Policy
from jobs.transitions import FAIL, RELEASED_LEASE, SUCCEED, WAIT, Transition, apply_transition
from schemas.names import DetectedBy, ErrorCode, EventType, Provider, RefundStatus, VideoStatus
from schemas.video import Media, Refund
from store import attempts, credits, history, videos
from store.attempts import AttemptRow
from store.credits import Entry
from store.transaction import Signal, Tx
from store.videos import VideoRow

_UNSURE = frozenset({ErrorCode.SUBMISSION_UNKNOWN, ErrorCode.TIMED_OUT})
_WATCHED_LATE = frozenset({ErrorCode.TIMED_OUT, ErrorCode.JOB_LOST})


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """How an attempt fails, and who has its credit."""

    code: ErrorCode
    message: str
    refund: Refund
    detected_by: DetectedBy | None = None
    evidence: str = ""
    """Where it is known from who has the credit, if its provider or its pages tell."""


def found(
    tx: Tx, policy: Policy, attempt: AttemptRow, urls: tuple[str, ...], *, detected_by: DetectedBy, now: float
) -> bool:
    """End an accepted attempt with addresses that were learnt without a check, or have them proven first."""
    if attempt.provider not in policy.proves:
        return succeed(tx, attempt, urls, detected_by=detected_by, now=now)
    tx.notify(Signal.CHECKS)
    return apply_transition(tx, WAIT, attempt.id, {"output_urls": urls, "due_at": now})


def succeed(
    tx: Tx,
    attempt: AttemptRow,
    urls: tuple[str, ...],
    *,
    detected_by: DetectedBy,
    now: float,
    media: Media | None = None,
    kept: tuple[str, ...] = (),
) -> bool:
    """End an attempt and its video with the addresses of the result; say whether it was this call that did."""
    columns = {
        "output_urls": urls,
        "media": media and media.model_dump_json(),
        "kept_urls": kept,
        "detected_by": detected_by,
        "finished_at": now,
        "due_at": None,
        "doubt": None,
    }
    if not apply_transition(tx, SUCCEED, attempt.id, {**columns, **RELEASED_LEASE}):
        return False
    return _finish(tx, attempt.video_id, VideoStatus.READY, EventType.READY, None, attempt=attempt.number, now=now)


def fail(
    tx: Tx,
    policy: Policy,
    attempt: AttemptRow,
    failing: AttemptFailed,
    *,
    now: float,
    owner: str | None = None,
    step: Transition = FAIL,
) -> bool:
    """End an attempt as failed, then fall back or end the video; say whether it was this call that did.

    With `owner` the attempt's lease must still be the owner's; `step` says in which states it may be.
    """
    watched = failing.code in _WATCHED_LATE and attempt.provider_job_id is not None
    columns = {
        "error_code": failing.code,
        "error_message": failing.message,
        "refund_status": failing.refund.status,
        "refund_credits": failing.refund.credits,
        "detected_by": failing.detected_by,
        "finished_at": now,
        "output_urls": (),
        "due_at": now + policy.poll_max if watched else None,
    }
    if not apply_transition(tx, step, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner):
        return False
    _enter_refund(tx, attempt, failing, now)
    if failing.evidence:
        told = f"credit {failing.refund.status}"
        history.note(tx, attempt.video_id, told, now=now, attempt=attempt.number, detail=failing.evidence)
    next_provider = following(tx, policy, attempt.video_id, failing.code)
    if next_provider is None:
        return _fail_video(tx, attempt.video_id, failing.code, failing.message, attempt=attempt.number, now=now)
    _fall_back(tx, attempt, next_provider, now)
    return True


def fail_unrouted(tx: Tx, video_id: str, message: str, *, now: float) -> bool:
    """End a video for which no provider can be chosen any more; say whether it was this call that did."""
    return fail_unsent(tx, video_id, ErrorCode.PROVIDER_UNAVAILABLE, message, now=now)


def fail_unsent(tx: Tx, video_id: str, code: ErrorCode, message: str, *, now: float) -> bool:
    """End a video that no provider has tried; say whether it was this call that did."""
    return _fail_video(tx, video_id, code, message, attempt=0, now=now)


def _enter_refund(tx: Tx, attempt: AttemptRow, failing: AttemptFailed, now: float) -> None:
    if failing.refund.status is RefundStatus.REFUNDED:
        credits.enter(tx, attempt.provider, attempt.id, Entry.REFUNDED, sent_at=now, now=now)
    elif failing.code is ErrorCode.SUBMISSION_UNKNOWN:
        sent_at = attempt.submitted_at or now
        credits.enter(tx, attempt.provider, attempt.id, Entry.UNKNOWN, sent_at=sent_at, now=now)


def following(
    tx: Tx, policy: Policy, video_id: str, code: ErrorCode = ErrorCode.PROVIDER_UNAVAILABLE
) -> Provider | None:
    """Name the provider that tries a video next, should its newest attempt fail so; None where that is the end."""
    video = videos.get(tx, video_id)
    if video is None or not video.fallback or code in {ErrorCode.IMAGE_REJECTED, ErrorCode.CANCELLED}:
        return None
    if code in _UNSURE and not policy.fallback_when_unsure:
        return None
    rows = attempts.of_videos(tx, [video.id])[video.id]
    if any(row.cancel is not None for row in rows):
        return None  # somebody wished that nothing more is spent on it
    tried = {row.provider for row in rows}
    return routing.choose_next(video.motion, enabled_anywhere(tx, policy.providers) or (), tried)


def _fall_back(tx: Tx, failed: AttemptRow, following: Provider, now: float) -> None:
    # Announced before the next attempt exists, so that the event shows the one that failed.
    events.announce(tx, failed.video_id, EventType.FALLBACK, attempt=failed.number, now=now)
    begin_attempt(tx, failed.video_id, following, number=failed.number + 1, now=now)
    tx.notify(Signal.SUBMISSIONS)


def begin_attempt(tx: Tx, video_id: str, provider: Provider, *, number: int, now: float) -> None:
    """Begin a provider's attempt at a video."""
    from_states = (VideoStatus.ACCEPTED, VideoStatus.SUBMITTING, VideoStatus.GENERATING)
    if videos.ask_move(tx, video_id, VideoStatus.SUBMITTING, from_states=from_states, provider=provider, now=now)():
        _add_attempt(tx, video_id, provider, number=number, now=now)


def begin_first_attempt(tx: Tx, video: VideoRow, provider: Provider, *, now: float) -> None:
    """Begin the first attempt at an accepted video, which this transaction has read and holds."""
    videos.ask_move(
        tx, video.id, VideoStatus.SUBMITTING, from_states=(VideoStatus.ACCEPTED,), provider=provider, now=now
    )
    _add_attempt(tx, video.id, provider, number=1, now=now)


def _add_attempt(tx: Tx, video_id: str, provider: Provider, *, number: int, now: float) -> None:
    # Ids that sort by age keep what is new on few pages of each index, so that a commit writes little.
    attempts.add(tx, uuid7().hex, video_id=video_id, number=number, provider=provider, now=now)


def _fail_video(tx: Tx, video_id: str, code: ErrorCode, message: str, *, attempt: int, now: float) -> bool:
    return _finish(tx, video_id, VideoStatus.FAILED, EventType.FAILED, (code, message), attempt=attempt, now=now)


def _finish(
    tx: Tx,
    video_id: str,
    to: VideoStatus,
    event_type: EventType,
    error: tuple[ErrorCode, str] | None,
    *,
    attempt: int,
    now: float,
) -> bool:
    finished = videos.ask_finish(tx, video_id, to, error=error, now=now)
    asked = view.ask_traced(tx, video_id)
    if not finished():
        return False
    events.announce(tx, video_id, event_type, attempt=attempt, now=now, asked=asked)
    return True
