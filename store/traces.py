"""The trace (W3C Trace Context) that a video's request belongs to."""

from collections.abc import Callable

from schemas.trace import NO_TRACE, Trace
from store.transaction import Tx


def of_video(tx: Tx, video_id: str) -> Trace:
    """Read the trace that a video's request came with; an empty one where there is none."""
    return ask_of_video(tx, video_id)()


def ask_of_video(tx: Tx, video_id: str) -> Callable[[], Trace]:
    """Ask for the trace that a video's request came with, and give what reads the answer."""
    rows = tx.execute("SELECT traceparent, tracestate FROM videos WHERE id = ?", (video_id,))

    def read() -> Trace:
        found = rows.fetchone()
        return NO_TRACE if found is None else Trace(*found)

    return read


def of_attempt(tx: Tx, attempt_id: str) -> Trace:
    """Read the trace of the video that an attempt is for; an empty one where there is none."""
    row = tx.execute(
        "SELECT traceparent, tracestate FROM attempts JOIN videos ON videos.id = attempts.video_id"
        " WHERE attempts.id = ?",
        (attempt_id,),
    ).fetchone()
    return NO_TRACE if row is None else Trace(*row)
