"""Erase a video with everything that is kept of it; what it cost stays, without saying whose it was."""

import json
from uuid import uuid4

from store.transaction import Tx

_PUBLISHED = "NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.video_id = videos.id AND outbox.published_at IS NULL)"


def state_of(tx: Tx, video_id: str) -> tuple[str, bool] | None:
    """Read a video's state, as it is written, and whether the broker has confirmed all its events so far."""
    row = tx.execute(f"SELECT state, {_PUBLISHED} FROM videos WHERE id = ?{tx.row_lock}", (video_id,)).fetchone()  # noqa: S608 - constant parts
    return None if row is None else (str(row[0]), bool(row[1]))


def ended_before(tx: Tx, *, before: float, up_to_id: str, limit: int) -> list[str]:
    """List the oldest videos that ended before a time and whose events the broker has confirmed.

    `up_to_id` is an id that none of them can have been given later than.
    """
    found: list[str] = []
    for state in ("ready", "failed"):
        rows = tx.execute(
            "SELECT id FROM videos WHERE state = ? AND id < ? AND completed_at < ?"  # noqa: S608 - constant parts
            f" AND {_PUBLISHED} ORDER BY id LIMIT ?{tx.skip_locked}",
            (state, up_to_id, before, limit - len(found)),
        ).fetchall()
        found += [video_id for (video_id,) in rows]
    return found


def erase(tx: Tx, video_id: str) -> list[str]:
    """Erase a video; give the names of its picture's file, which is to be removed after the commit."""
    files = [name for (name,) in tx.execute("SELECT name FROM uploads WHERE video_id = ?", (video_id,)).fetchall()]
    tried = [row[0] for row in tx.execute("SELECT id FROM attempts WHERE video_id = ?", (video_id,)).fetchall()]
    for attempt_id in tried:
        tx.execute("DELETE FROM webhooks WHERE attempt_id = ?", (attempt_id,))
        tx.execute("DELETE FROM unreadable WHERE kind = 'attempt' AND id = ?", (attempt_id,))
        # One new name for all entries of an attempt: they are still counted together, and lead nowhere.
        tx.execute("UPDATE credits SET attempt_id = ? WHERE attempt_id = ?", (f"erased-{uuid4().hex}", attempt_id))
    _erase_metadata(tx, video_id)
    tx.execute("DELETE FROM uploads WHERE video_id = ?", (video_id,))
    tx.execute("DELETE FROM pictures WHERE video_id = ?", (video_id,))
    tx.execute("DELETE FROM idempotency_keys WHERE video_id = ?", (video_id,))
    tx.execute("DELETE FROM history WHERE video_id = ?", (video_id,))
    tx.execute("DELETE FROM outbox WHERE video_id = ?", (video_id,))
    tx.execute("DELETE FROM attempts WHERE video_id = ?", (video_id,))
    tx.execute("DELETE FROM unreadable WHERE kind = 'video' AND id = ?", (video_id,))
    tx.execute("DELETE FROM videos WHERE id = ?", (video_id,))
    return [name for name in files if name is not None]


def _erase_metadata(tx: Tx, video_id: str) -> None:
    """Erase the pairs that a video is found by; they are those of its own row."""
    row = tx.execute("SELECT metadata FROM videos WHERE id = ?", (video_id,)).fetchone()
    try:
        pairs = dict(json.loads(row[0]))
    except (TypeError, ValueError):
        return  # such a row was never found by its metadata
    tx.executemany(
        "DELETE FROM video_metadata WHERE name = ? AND value = ? AND video_id = ?",
        [(name, value, video_id) for name, value in pairs.items() if isinstance(value, str)],
    )
