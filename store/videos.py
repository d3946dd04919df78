"""Videos, and the idempotency keys they came with."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.names import ErrorCode, Motion, Orientation, Provider, ProviderChoice, VideoStatus
from store import uploads
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
    error_code: ErrorCode | None
    error_message: str | None
    created_at: float
    updated_at: float
    completed_at: float | None


_COLUMNS = (
    "id, state, motion, orientation, prompt, metadata, choice, fallback, provider, image_url, input_image,"
    " caller, error_code, error_message, created_at, updated_at, completed_at"
)


def _row(columns: Sequence[object]) -> VideoRow:
    values = list(columns)
    values[1] = VideoStatus(str(values[1]))
    values[2] = Motion(str(values[2]))
    values[3] = Orientation(str(values[3]))
    values[5] = json.loads(str(values[5]))
    values[6] = ProviderChoice(str(values[6]))
    values[7] = bool(values[7])
    values[8] = values[8] and Provider(str(values[8]))
    values[12] = values[12] and ErrorCode(str(values[12]))
    return VideoRow(*values)  # type: ignore[arg-type]  # the columns are selected in the fields' order


def add(tx: Tx, video: VideoRow) -> None:
    """Store a new video."""
    tx.execute(
        f"INSERT INTO videos ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant columns
        (
            video.id,
            video.state,
            video.motion,
            video.orientation,
            video.prompt,
            json.dumps(video.metadata, ensure_ascii=False, separators=(",", ":")),
            video.choice,
            int(video.fallback),
            video.provider,
            video.image_url,
            video.input_image,
            video.caller,
            video.error_code,
            video.error_message,
            video.created_at,
            video.updated_at,
            video.completed_at,
        ),
    )


def get(tx: Tx, video_id: str) -> VideoRow | None:
    """Read one video."""
    columns = tx.execute(f"SELECT {_COLUMNS} FROM videos WHERE id = ?", (video_id,)).fetchone()  # noqa: S608 - constant columns
    return None if columns is None else _row(columns)


def page(
    tx: Tx, *, status: VideoStatus | None, provider: Provider | None, before: str | None, limit: int
) -> list[VideoRow]:
    """Read videos newest first, those older than the id `before` where it is given."""
    conditions = {"state = :state": status, "provider = :provider": provider, "id < :before": before}
    given = [condition for condition, value in conditions.items() if value is not None]
    where = f"WHERE {' AND '.join(given)}" if given else ""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM videos {where} ORDER BY id DESC LIMIT :limit",  # noqa: S608 - constant parts
        {"state": status, "provider": provider, "before": before, "limit": limit},
    ).fetchall()
    return [_row(columns) for columns in rows]


def accepted(tx: Tx, *, limit: int, now: float) -> list[VideoRow]:
    """Read the oldest videos for which no provider has been chosen yet; those that cannot be read are put aside."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM videos WHERE state = 'accepted'"  # noqa: S608 - constant columns
        " AND id NOT IN (SELECT id FROM unreadable WHERE kind = 'video') ORDER BY id LIMIT ?",
        (limit,),
    ).fetchall()
    return [row for columns in rows if (row := _readable(tx, columns, now)) is not None]


def _readable(tx: Tx, columns: Sequence[object], now: float) -> VideoRow | None:
    try:
        return _row(columns)
    except MALFORMED as error:
        put_aside(tx, Kind.VIDEO, str(columns[0]), str(error), now=now)
        return None


def move(
    tx: Tx, video_id: str, to: VideoStatus, *, from_states: Sequence[VideoStatus], provider: Provider | None, now: float
) -> bool:
    """Move a video to a state that is not final, if it is in one of `among`; say whether it was."""
    marks = ", ".join("?" * len(from_states))
    moved = tx.execute(
        f"UPDATE videos SET state = ?, provider = COALESCE(?, provider), updated_at = ?"  # noqa: S608 - only marks
        f" WHERE id = ? AND state IN ({marks})",
        (to, provider, now, video_id, *from_states),
    )
    return moved.rowcount == 1


def finish(tx: Tx, video_id: str, to: VideoStatus, *, error: tuple[ErrorCode, str] | None, now: float) -> bool:
    """Move a video to its final state, once; say whether it was this call that did."""
    code, message = error or (None, None)
    moved = tx.execute(
        "UPDATE videos SET state = ?, error_code = ?, error_message = ?, updated_at = ?, completed_at = ?"
        " WHERE id = ? AND state IN ('accepted', 'submitting', 'generating')",
        (to, code, message, now, now, video_id),
    )
    if moved.rowcount != 1:
        return False
    uploads.retire(tx, video_id, now=now)
    return True


def count_by_state(tx: Tx) -> dict[VideoStatus, int]:
    """Count the videos that are not finished, by state."""
    rows = tx.execute(
        "SELECT state, COUNT(*) FROM videos WHERE state IN ('accepted', 'submitting', 'generating') GROUP BY state"
    ).fetchall()
    return {VideoStatus(state): count for state, count in rows}


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What an idempotency key stands for."""

    fingerprint: str
    video_id: str


def kept_key(tx: Tx, *, caller: str, key: str) -> KeptKey | None:
    """Read what a caller's idempotency key stands for."""
    row = tx.execute(
        "SELECT fingerprint, video_id FROM idempotency_keys WHERE caller = ? AND key = ?", (caller, key)
    ).fetchone()
    return None if row is None else KeptKey(*row)


def keep_key(tx: Tx, *, caller: str, key: str, kept: KeptKey, now: float) -> None:
    """Bind a caller's idempotency key to a video."""
    tx.execute(
        "INSERT INTO idempotency_keys (caller, key, fingerprint, video_id, created_at) VALUES (?, ?, ?, ?, ?)",
        (caller, key, kept.fingerprint, kept.video_id, now),
    )


def forget_keys(tx: Tx, *, before: float, limit: int) -> int:
    """Drop up to `limit` idempotency keys older than `before`; say how many."""
    return tx.execute(
        "DELETE FROM idempotency_keys WHERE (caller, key) IN"
        " (SELECT caller, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)",
        (before, limit),
    ).rowcount
