"""The trace (W3C Trace Context) that a video's request belongs to."""

from schemas.trace import NO_TRACE, Trace
from store.transaction import Tx


def of_video(tx: Tx, video_id: str) -> Trace:
    """Read the trace that a video's request came with; an empty one where there is none."""
    row = tx.execute("SELECT traceparent, tracestate FROM videos WHERE id = ?", (video_id,)).fetchone()
    return NO_TRACE if row is None else Trace(*row)


def of_attempt(tx: Tx, attempt_id: str) -> Trace:
    """Read the trace of the video that an attempt is for; an empty one where there is none."""
    row = tx.execute(
        "SELECT traceparent, tracestate FROM attempts JOIN videos ON videos.id = attempts.video_id"
        " WHERE attempts.id = ?",
        (attempt_id,),
    ).fetchone()
    return NO_TRACE if row is None else Trace(*row)
