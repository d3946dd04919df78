"""What happened to a video and is told by no row of its own, for its timeline."""

from typing import NamedTuple

from store.transaction import Tx

_SHOWN_BYTES = 2000


class HistoryEntry(NamedTuple):
    """One thing that happened: when (Unix seconds), what, to which attempt, and more about it."""

    at: float
    what: str
    attempt: int | None
    detail: str | None


def note(
    tx: Tx, video_id: str, what: str, *, now: float, attempt: int | None = None, detail: str | None = None
) -> None:
    """Note that something happened to a video."""
    tx.execute(
        "INSERT INTO history (video_id, attempt, at, what, detail) VALUES (?, ?, ?, ?, ?)",
        (video_id, attempt, now, what, detail),
    )


def of_video(tx: Tx, video_id: str) -> list[HistoryEntry]:
    """Read a video's notes, webhooks and events, in no order."""
    rows = tx.execute(
        "SELECT at, what, attempt, detail FROM history WHERE video_id = :id"
        " UNION ALL SELECT created_at, 'event ' || type, NULL, event_id FROM outbox WHERE video_id = :id"
        " UNION ALL SELECT published_at, 'event ' || type || ' confirmed by the broker', NULL, event_id FROM outbox"
        " WHERE video_id = :id AND published_at IS NOT NULL",
        {"id": video_id},
    ).fetchall()
    return [HistoryEntry(*row) for row in rows] + _webhooks(tx, video_id)


def _webhooks(tx: Tx, video_id: str) -> list[HistoryEntry]:
    tried = tx.execute("SELECT id, number FROM attempts WHERE video_id = ?", (video_id,)).fetchall()
    return [
        HistoryEntry(at, "webhook received", number, _shown(body, size))
        for attempt_id, number in tried
        for at, body, size in tx.execute(
            "SELECT received_at, body, size FROM webhooks WHERE attempt_id = ? ORDER BY id LIMIT 100", (attempt_id,)
        ).fetchall()
    ]


def _shown(body: bytes | None, size: int) -> str:
    if body is None:
        return f"a body of {size} bytes, not kept"
    return body[:_SHOWN_BYTES].decode(errors="replace")
