"""What happened to a video, for its timeline."""

from store.transaction import Tx

_SHOWN_BYTES = 2000


def note(
    tx: Tx, video_id: str, what: str, *, now: float, attempt: int | None = None, detail: str | None = None
) -> None:
    """Note that something happened to a video."""
    tx.execute(
        "INSERT INTO history (video_id, attempt, at, what, detail) VALUES (?, ?, ?, ?, ?)",
        (video_id, attempt, now, what, detail),
    )


def of_video(tx: Tx, video_id: str) -> list[tuple[float, str, int | None, str | None]]:
    """Read time, happening, attempt number and detail of a video's notes, its webhooks and its events, in order."""
    rows = tx.execute(
        "SELECT at, what, attempt, detail FROM history WHERE video_id = :id"
        " UNION ALL SELECT created_at, 'event ' || type, NULL, event_id FROM outbox WHERE video_id = :id"
        " UNION ALL SELECT published_at, 'event ' || type || ' confirmed by the broker', NULL, event_id FROM outbox"
        " WHERE video_id = :id AND published_at IS NOT NULL",
        {"id": video_id},
    ).fetchall()
    return sorted([*rows, *_webhooks(tx, video_id)], key=lambda row: row[0])


def _webhooks(tx: Tx, video_id: str) -> list[tuple[float, str, int, str]]:
    rows = tx.execute(
        "SELECT webhooks.received_at, attempts.number, webhooks.body, webhooks.size"
        " FROM attempts JOIN webhooks ON webhooks.attempt_id = attempts.id"
        " WHERE attempts.video_id = ? ORDER BY webhooks.id LIMIT 100",
        (video_id,),
    ).fetchall()
    return [(at, "webhook received", number, _shown(body, size)) for at, number, body, size in rows]


def _shown(body: bytes | None, size: int) -> str:
    if body is None:
        return f"a body of {size} bytes, not kept"
    return body[:_SHOWN_BYTES].decode(errors="replace")
