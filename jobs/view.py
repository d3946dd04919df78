"""Show stored rows as the documents that callers and subscribers get."""

from collections.abc import Callable, Sequence

from jobs import refunds
from providers.registry import motion_form, results_live
from schemas.names import AttemptStatus, CancelOutcome, ErrorCode, Motion, VideoStatus
from schemas.times import optional_rfc3339, rfc3339
from schemas.trace import Trace
from schemas.video import Attempt, CancelWish, Failure, Media, Refund, Video, VideoPage
from store import attempts, video_lists, videos
from store.attempts import AttemptRow, AttemptState, CancelState
from store.transaction import Tx
from store.unreadable import MALFORMED
from store.video_lists import Filter
from store.videos import VideoRow

_SHOWN_AS = {
    AttemptState.WAITING: AttemptStatus.SUBMITTING,
    AttemptState.CLAIMED: AttemptStatus.SUBMITTING,
    AttemptState.SENDING: AttemptStatus.SUBMITTING,
    AttemptState.UNCONFIRMED: AttemptStatus.SUBMITTING,
    AttemptState.GENERATING: AttemptStatus.GENERATING,
    AttemptState.SUCCEEDED: AttemptStatus.SUCCEEDED,
    AttemptState.FAILED: AttemptStatus.FAILED,
}


def video(tx: Tx, video_id: str) -> Video | None:
    """Read a video, or None if there is none of this id."""
    found = traced(tx, video_id)
    return None if found is None else found[0]


def traced(tx: Tx, video_id: str) -> tuple[Video, Trace] | None:
    """Read a video, and the trace that its request came with."""
    return ask_traced(tx, video_id)()


def ask_traced(tx: Tx, video_id: str) -> Callable[[], tuple[Video, Trace] | None]:
    """Ask for a video and its request's trace, and give what reads the answer."""
    asked, tried = videos.ask(tx, video_id), attempts.ask_of_video(tx, video_id)

    def read() -> tuple[Video, Trace] | None:
        row = asked()
        return None if row is None else (_shown(row, tried()), Trace(row.traceparent, row.tracestate))

    return read


def untried(row: VideoRow) -> Video:
    """Show a video for which no provider has been chosen yet."""
    return _shown(row, [])


def existing(tx: Tx, video_id: str) -> Video:
    """Read a video that is known to exist. Raises LookupError if it does not."""
    found = video(tx, video_id)
    if found is None:
        raise LookupError(f"no video {video_id}")
    return found


def page(
    tx: Tx, wanted: Filter, *, cursor: str | None, limit: int, unreadable: Callable[[str], object] | None = None
) -> VideoPage:
    """Read the videos that are wanted, newest first; `cursor` is the id of the last one already seen.

    A video that this release cannot read is left out, and `unreadable` is called with its id.
    """
    rows = video_lists.page(tx, wanted, before=cursor, limit=limit + 1)
    ids = [video_id for video_id, _ in rows[:limit]]
    tried = _tried(tx, ids)
    items = [_if_readable(row, tried.get(video_id)) for video_id, row in rows[:limit]]
    for video_id, item in zip(ids, items, strict=True):
        if item is None and unreadable is not None:
            unreadable(video_id)
    shown = [item for item in items if item is not None]
    return VideoPage(items=shown, next_cursor=ids[-1] if len(rows) > limit else None)


def _tried(tx: Tx, ids: Sequence[str]) -> dict[str, list[AttemptRow]]:
    """Read the attempts of videos, without those of which one cannot be read."""
    try:
        return attempts.of_videos(tx, ids)
    except MALFORMED:
        if len(ids) == 1:
            return {}
        half = len(ids) // 2
        return _tried(tx, ids[:half]) | _tried(tx, ids[half:])


def _if_readable(row: VideoRow | None, tried: Sequence[AttemptRow] | None) -> Video | None:
    try:
        return None if row is None or tried is None else _shown(row, tried)
    except MALFORMED:
        return None


def _shown(row: VideoRow, tried: Sequence[AttemptRow]) -> Video:
    newest = tried[-1] if tried else None
    return Video(
        id=row.id,
        status=row.state,
        motion=row.motion,
        orientation=row.orientation,
        prompt=row.prompt,
        metadata=row.metadata,
        retry_of=row.retry_of,
        provider=newest.provider if newest else None,
        provider_job_id=newest.provider_job_id if newest else None,
        detected_by=newest.detected_by if newest else None,
        input_image=row.input_image,
        output_urls=_output(newest),
        cancellation=_cancellation(newest),
        error=_failure(row),
        refund=_total_refund(row, tried),
        expires_at=_expires_at(newest),
        media=Media.model_validate_json(newest.media) if newest and newest.media else None,
        kept_urls=list(newest.kept_urls) if newest else [],
        attempts=[_attempt(attempt, row.motion) for attempt in tried],
        created_at=rfc3339(row.created_at),
        updated_at=rfc3339(row.updated_at),
        completed_at=optional_rfc3339(row.completed_at),
    )


def _output(newest: AttemptRow | None) -> list[str]:
    if newest is None or newest.state is not AttemptState.SUCCEEDED:
        return []
    return list(newest.output_urls)


def _expires_at(newest: AttemptRow | None) -> str | None:
    """Say until when a result's addresses are good, counted from when it was found: by then it was there already."""
    if newest is None or newest.state is not AttemptState.SUCCEEDED or newest.finished_at is None:
        return None
    live = results_live(newest.provider)
    return None if live is None else rfc3339(newest.finished_at + live)


def _cancellation(newest: AttemptRow | None) -> CancelWish | None:
    """Tell of the wish to stop the newest attempt; its end says what came of it."""
    if newest is None or newest.cancel is None or newest.cancel_at is None:
        return None
    if newest.finished_at is None:
        too_late = newest.cancel is CancelState.TOO_LATE
        outcome = CancelOutcome.TOO_LATE if too_late else CancelOutcome.WISHED
    else:
        done = newest.error_code is ErrorCode.CANCELLED
        outcome = CancelOutcome.DONE if done else CancelOutcome.TOO_LATE
    return CancelWish(outcome=outcome, wished_at=rfc3339(newest.cancel_at))


def _total_refund(row: VideoRow, tried: Sequence[AttemptRow]) -> Refund | None:
    shown = [refund for refund in map(_refund, tried) if refund is not None]
    return refunds.total(shown) if shown or row.state is VideoStatus.FAILED else None


def _attempt(row: AttemptRow, motion: Motion) -> Attempt:
    return Attempt(
        provider=row.provider,
        provider_job_id=row.provider_job_id,
        status=_SHOWN_AS[row.state],
        motion_form=motion_form(row.provider, motion),
        submitted_at=optional_rfc3339(row.submitted_at),
        finished_at=optional_rfc3339(row.finished_at),
        detected_by=row.detected_by,
        output_urls=[] if row.state is AttemptState.GENERATING else list(row.output_urls),
        error=_failure(row),
        refund=_refund(row),
    )


def _failure(row: VideoRow | AttemptRow) -> Failure | None:
    return Failure(code=row.error_code, message=row.error_message or "") if row.error_code else None


def _refund(row: AttemptRow) -> Refund | None:
    return Refund(status=row.refund_status, credits=row.refund_credits) if row.refund_status else None
