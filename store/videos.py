"""Videos: their rows and how these move."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from pydantic_core import to_json

from schemas.names import ErrorCode, Motion, Orientation, Provider, ProviderChoice, VideoStatus
from store import uploads
from store.marks import in_groups
from store.members import member_of
from store.transaction import Tx
from store.unreadable import MALFORMED, Kind, put_aside


class VideoRow(NamedTuple):
    """One video as it is stored."""

    id: str
    state: VideoStatus
    motion: Motion
    orientation: Orientation
    prompt: str | None
    metadata: dict[str, str]
    choice: ProviderChoice
    fallback: bool
    provider: Provider | None
    image_url: str | None
    input_image: str
    caller: str
    retry_of: str | None
    error_code: ErrorCode | None
    error_message: str | None
    created_at: float
    updated_at: float
    completed_at: float | None
    traceparent: str | None = None
    tracestate: str | None = None


COLUMNS = (
    "id, state, motion, orientation, prompt, metadata, choice, fallback, provider, image_url, input_image,"
    " caller, retry_of, error_code, error_message, created_at, updated_at, completed_at, traceparent, tracestate"
)


_status = member_of(VideoStatus)
_motion = member_of(Motion)
_orientation = member_of(Orientation)
_error_code = member_of(ErrorCode)


def _row(columns: Sequence[object]) -> VideoRow:
    values = list(columns)
    values[1] = _status(values[1])
    values[2] = _motion(values[2])
    values[3] = _orientation(values[3])
    values[5] = json.loads(str(values[5]))
    values[6] = ProviderChoice(str(values[6]))
    values[7] = bool(values[7])
    values[8] = values[8] and Provider(str(values[8]))
    values[13] = values[13] and _error_code(values[13])
    return VideoRow(*values)  # type: ignore[arg-type]  # the columns are selected in the fields' order


def add(tx: Tx, video: VideoRow) -> None:
    """Store a new video."""
    tx.execute(
        f"INSERT INTO videos ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant columns
        (
            video.id,
            video.state,
            video.motion,
            video.orientation,
            video.prompt,
            to_json(video.metadata).decode(),
            video.choice,
            int(video.fallback),
            video.provider,
            video.image_url,
            video.input_image,
            video.caller,
            video.retry_of,
            video.error_code,
            video.error_message,
            video.created_at,
            video.updated_at,
            video.completed_at,
            video.traceparent,
            video.tracestate,
        ),
    )
    tx.executemany(
        "INSERT INTO video_metadata (name, value, video_id) VALUES (?, ?, ?)",
        [(name, value, video.id) for name, value in video.metadata.items()],
    )


def get(tx: Tx, video_id: str) -> VideoRow | None:
    """Read one video; what writes holds it until its end, so that its events are stored in the order they happen."""
    return ask(tx, video_id)()


def ask(tx: Tx, video_id: str) -> Callable[[], VideoRow | None]:
    """Ask for one video as `get` does, and give what reads the answer: several questions can go in one trip."""
    rows = tx.execute(f"SELECT {COLUMNS} FROM videos WHERE id = ?{tx.row_lock}", (video_id,))  # noqa: S608 - constant parts

    def read() -> VideoRow | None:
        found = rows.fetchone()
        return None if found is None else _row(found)

    return read


def ask_each(tx: Tx, video_ids: Collection[str]) -> Callable[[str], VideoRow | None]:
    """Ask for several videos as `get` does, and give what reads each by its id."""
    found: dict[str, Sequence[object]] = {}
    for marks, group in in_groups(video_ids):
        rows = tx.execute(f"SELECT {COLUMNS} FROM videos WHERE id IN ({marks}){tx.row_lock}", group)  # noqa: S608 - only marks
        found |= {str(columns[0]): columns for columns in rows.fetchall()}
    return lambda video_id: _row(found[video_id]) if video_id in found else None


def ask_accepted(tx: Tx, *, limit: int, now: float) -> Callable[[], list[VideoRow]]:
    """Ask for the oldest videos without a provider; give what reads them, and puts aside those that cannot be read."""
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM videos WHERE state = 'accepted'"  # noqa: S608 - constant parts
        f" AND id NOT IN (SELECT id FROM unreadable WHERE kind = 'video') ORDER BY id LIMIT ?{tx.skip_locked}",
        (limit,),
    )
    return lambda: [row for columns in rows.fetchall() if (row := _readable(tx, columns, now)) is not None]


def row_or_none(columns: Sequence[object]) -> VideoRow | None:
    """Read a row; None where this release cannot."""
    try:
        return _row(columns)
    except MALFORMED:
        return None


def _readable(tx: Tx, columns: Sequence[object], now: float) -> VideoRow | None:
    try:
        return _row(columns)
    except MALFORMED as error:
        put_aside(tx, Kind.VIDEO, str(columns[0]), str(error), now=now)
        return None


def retries_of(tx: Tx, video_id: str) -> list[VideoRow]:
    """Read the videos that were made because this one failed, oldest first."""
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM videos WHERE retry_of = ? ORDER BY id",  # noqa: S608 - constant columns
        (video_id,),
    ).fetchall()
    return [_row(columns) for columns in rows]


class Movable(NamedTuple):
    """Attempts that may go elsewhere, and the place (a time and an id) where to look on; None where that was all."""

    attempt_ids: list[str]
    place: tuple[float, str] | None


def movable(
    tx: Tx,
    provider: Provider,
    *,
    motions: Collection[Motion],
    tried: Collection[Provider],
    after: tuple[float, str],
    looked_at: int,
    limit: int,
) -> Movable:
    """Name the attempts that wait at a provider while their videos, of certain motions, may go to another one.

    One of the other providers at least has not `tried` them yet. So many are looked at, those that come `after` a place
    in the order of their turns, however many wait.
    """
    motion_marks, provider_marks = ", ".join("?" * len(motions)), ", ".join("?" * len(tried))
    rows = tx.execute(
        "SELECT waiting.id, waiting.due_at, videos.fallback = 1"  # noqa: S608 - only marks
        f" AND videos.motion IN ({motion_marks}) AND (SELECT COUNT(DISTINCT earlier.provider) FROM attempts earlier"
        f" WHERE earlier.video_id = videos.id AND earlier.provider IN ({provider_marks})) < ?"
        " FROM (SELECT id, video_id, due_at FROM attempts WHERE provider = ?"
        " AND state IN ('waiting', 'claimed', 'sending') AND state = 'waiting'"
        " AND due_at >= ? AND (due_at > ? OR id > ?) ORDER BY due_at, id LIMIT ?) AS waiting"
        " JOIN videos ON videos.id = waiting.video_id",
        (*motions, *tried, len(tried), provider, after[0], *after, looked_at),
    ).fetchall()
    rows.sort(key=lambda row: (row[1], row[0]))
    found = [(attempt_id, due_at) for attempt_id, due_at, may_move in rows if may_move][:limit]
    if len(found) == limit:
        last, due_at = found[-1]
        return Movable([attempt_id for attempt_id, _ in found], (due_at, last))
    place = (rows[-1][1], rows[-1][0]) if len(rows) == looked_at else None
    return Movable([attempt_id for attempt_id, _ in found], place)


def ask_move(
    tx: Tx, video_id: str, to: VideoStatus, *, from_states: Sequence[VideoStatus], provider: Provider | None, now: float
) -> Callable[[], bool]:
    """Move a video to a state that is not final, if it is in one of `from_states`; give what says whether it was."""
    marks = ", ".join("?" * len(from_states))
    moved = tx.execute(
        f"UPDATE videos SET state = ?, provider = COALESCE(?, provider), updated_at = ?"  # noqa: S608 - only marks
        f" WHERE id = ? AND state IN ({marks})",
        (to, provider, now, video_id, *from_states),
    )
    return lambda: moved.rowcount == 1


def note_generating(tx: Tx, video_id: str, provider: Provider, *, now: float) -> None:
    """Note that a provider makes a video, unless that has been noted or the video is finished."""
    tx.execute(
        "UPDATE videos SET state = 'generating', provider = ?, updated_at = ?"
        " WHERE id = ? AND state IN ('accepted', 'submitting')",
        (provider, now, video_id),
    )


def ask_finish(
    tx: Tx, video_id: str, to: VideoStatus, *, error: tuple[ErrorCode, str] | None, now: float
) -> Callable[[], bool]:
    """Move a video to its final state, once; give what says whether it was this call that did, and must be called."""
    code, message = error or (None, None)
    moved = tx.execute(
        "UPDATE videos SET state = ?, error_code = ?, error_message = ?, updated_at = ?, completed_at = ?"
        " WHERE id = ? AND state IN ('accepted', 'submitting', 'generating')",
        (to, code, message, now, now, video_id),
    )

    def finished() -> bool:
        if moved.rowcount != 1:
            return False
        uploads.retire(tx, video_id, now=now)
        return True

    return finished


def count_by_state(tx: Tx) -> dict[VideoStatus, int]:
    """Count the videos that are not finished, by state."""
    rows = tx.execute(
        "SELECT state, COUNT(*) FROM videos WHERE state IN ('accepted', 'submitting', 'generating') GROUP BY state"
    ).fetchall()
    return {VideoStatus(state): count for state, count in rows}
