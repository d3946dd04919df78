"""Tell all that happened to a video, for support: from its rows, the notes beside them, its webhooks and its events."""

from collections.abc import Iterator

from jobs import circuit, outage
from schemas.times import optional_rfc3339, rfc3339
from schemas.video import Timeline, TimelineEntry
from store import attempts, history, videos
from store.attempts import AttemptRow, AttemptState
from store.history import HistoryEntry
from store.transaction import Tx
from store.videos import VideoRow


def of_video(tx: Tx, video_id: str, *, now: float) -> Timeline | None:
    """Read all that happened to a video, oldest first, or None if there is none of this id."""
    video = videos.get(tx, video_id)
    if video is None:
        return None
    happenings = [_accepted(video)]
    made = attempts.of_videos(tx, [video_id])[video_id]
    for attempt in made:
        happenings += _of_attempt(attempt)
        happenings += _waiting(tx, attempt, now)
    happenings += history.of_video(tx, video_id)
    return Timeline(
        items=[
            TimelineEntry(
                at=rfc3339(happening.at), what=happening.what, attempt=happening.attempt, detail=happening.detail
            )
            for happening in sorted(happenings, key=lambda happening: happening.at)
        ],
        next_check_at=optional_rfc3339(min(filter(None, map(_next_check, made)), default=None)),
    )


def _next_check(attempt: AttemptRow) -> float | None:
    return attempt.due_at if attempt.state is AttemptState.GENERATING else None


def _accepted(video: VideoRow) -> HistoryEntry:
    return HistoryEntry(video.created_at, "accepted", None, f"from {video.caller}")


def _of_attempt(attempt: AttemptRow) -> Iterator[HistoryEntry]:
    accepted_at, finished_at = attempt.accepted_at, attempt.finished_at
    if attempt.created_at is not None:
        yield HistoryEntry(attempt.created_at, "provider chosen", attempt.number, attempt.provider)
    # What was accepted only after it had been given up is a note of its own.
    if accepted_at is not None and (finished_at is None or accepted_at <= finished_at):
        yield HistoryEntry(accepted_at, "accepted by the provider", attempt.number, attempt.provider_job_id)
    if finished_at is not None:
        what = "succeeded" if attempt.state is AttemptState.SUCCEEDED else "failed"
        yield HistoryEntry(finished_at, what, attempt.number, _end(attempt))


def _waiting(tx: Tx, attempt: AttemptRow, now: float) -> Iterator[HistoryEntry]:
    """Tell what an attempt waits for while its provider takes no work."""
    if attempt.state is not AttemptState.WAITING:
        return
    gate = circuit.gate(tx, attempt.provider, now=now)
    if gate.since is not None:
        begun = max(gate.since, attempt.created_at or 0)
        yield HistoryEntry(begun, "waits", attempt.number, outage.describe(attempt.provider, gate))


def _end(attempt: AttemptRow) -> str:
    if attempt.state is AttemptState.SUCCEEDED:
        return f"found by {attempt.detected_by}"
    return f"{attempt.error_code}: {attempt.error_message} (credit {attempt.refund_status})"
