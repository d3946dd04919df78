"""The transactional outbox: events stored with the change that they announce, in the order of their commits."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.names import EventType
from store.marks import in_groups
from store.transaction import Signal, Tx


class OutboxEvent(NamedTuple):
    """One event as it is stored; `body` is the finished document, `created_at` Unix seconds.

    `refusals` counts how often a broker would not have it. `traceparent` is that of the video's request.
    """

    seq: int
    event_id: str
    video_id: str
    type: str
    routing_key: str
    body: str
    created_at: float
    refusals: int = 0
    traceparent: str | None = None


_COLUMNS = (
    "seq, event_id, video_id, type, routing_key, body, created_at, refusals,"
    " (SELECT traceparent FROM videos WHERE videos.id = outbox.video_id)"
)

# An older event of the same video goes first, whatever it waits for.
_FIRST_OF_ITS_VIDEO = (
    "NOT EXISTS (SELECT 1 FROM outbox AS older WHERE older.video_id = outbox.video_id AND older.seq < outbox.seq"
    " AND older.published_at IS NULL)"
)


def _events(rows: list[Any]) -> list[OutboxEvent]:
    return [OutboxEvent(*row) for row in rows]


def add(
    tx: Tx, *, event_id: str, video_id: str, event_type: EventType, routing_key: str, body: str, now: float
) -> None:
    """Store an event unless it is already there, and wake the relay."""
    tx.execute(
        "INSERT INTO outbox (event_id, video_id, type, routing_key, body, created_at, retry_at)"
        " VALUES (:event_id, :video_id, :type, :routing_key, :body, :now, COALESCE("
        "(SELECT MAX(retry_at) FROM outbox WHERE video_id = :video_id AND published_at IS NULL), 0))"
        " ON CONFLICT (event_id) DO NOTHING",
        {
            "event_id": event_id,
            "video_id": video_id,
            "type": event_type,
            "routing_key": routing_key,
            "body": body,
            "now": now,
        },
    )
    tx.must_sync()
    tx.notify(Signal.EVENTS)


def sendable(tx: Tx, *, now: float, limit: int) -> list[OutboxEvent]:
    """Read what may be published now, one event a video, oldest first.

    Events that a broker refused before come first, when their time has come, and take a quarter of the places.
    However many of them wait, reading costs the same.
    """
    refused = tx.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE published_at IS NULL AND retry_at > 0 AND retry_at <= :now"  # noqa: S608 - constant parts
        f" AND {_FIRST_OF_ITS_VIDEO} ORDER BY retry_at, created_at LIMIT :limit",
        {"now": now, "limit": max(1, limit // 4)},
    )
    new = tx.execute(
        f"SELECT {_COLUMNS} FROM outbox WHERE published_at IS NULL AND retry_at = 0"  # noqa: S608 - constant parts
        f" AND {_FIRST_OF_ITS_VIDEO} ORDER BY seq LIMIT :limit",
        {"limit": limit},
    )
    return [*_events(refused.fetchall()), *_events(new.fetchall())][:limit]


def mark_published(tx: Tx, seqs: Collection[int], *, now: float) -> None:
    """Note that the broker has confirmed exactly these events."""
    for marks, group in in_groups(seqs):
        tx.execute(
            f"UPDATE outbox SET published_at = ?, last_error = NULL WHERE seq IN ({marks})",  # noqa: S608 - only marks
            (now, *group),
        )


def bring_near(tx: Tx, *, now: float) -> None:
    """Make every refused event due at once: after a clock was put back nobody can tell when it is."""
    refused = "published_at IS NULL AND retry_at > 0 AND retry_at > :now"
    tx.execute(f"UPDATE outbox SET retry_at = :now WHERE {refused}", {"now": now})  # noqa: S608 - constant parts


def refuse(tx: Tx, event: OutboxEvent, why: str, *, retry_at: float) -> None:
    """Note that a broker would not have an event, and when it and what follows it in its video may be tried again."""
    tx.execute(
        "UPDATE outbox SET refusals = refusals + 1, retry_at = ?, last_error = ? WHERE seq = ?",
        (retry_at, why, event.seq),
    )
    tx.execute(
        "UPDATE outbox SET retry_at = ? WHERE video_id = ? AND seq > ? AND published_at IS NULL",
        (retry_at, event.video_id, event.seq),
    )


def publish_again(tx: Tx, video_id: str) -> str | None:
    """Publish a video's terminal event again; give its id, or None where there is none."""
    row = tx.execute(
        "UPDATE outbox SET published_at = NULL, retry_at = 0, refusals = 0"
        " WHERE video_id = ? AND type IN ('video.ready', 'video.failed') RETURNING event_id",
        (video_id,),
    ).fetchone()
    if row is None:
        return None
    tx.notify(Signal.EVENTS)
    return str(row[0])


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be published; of that, `refused` is what brokers would not have, with what follows it."""

    count: int
    refused: int
    oldest_at: float | None
    last_error: str | None


def backlog(tx: Tx, *, count_up_to: int = 10_000) -> Backlog:
    """Measure what waits to be published; each count stops at `count_up_to`."""
    oldest = tx.execute(
        "SELECT created_at FROM outbox WHERE published_at IS NULL AND retry_at = 0 ORDER BY seq LIMIT 1"
    ).fetchone()
    new = tx.execute(
        "SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE published_at IS NULL AND retry_at = 0 LIMIT ?) AS waiting",
        (count_up_to,),
    ).fetchone()[0]
    refused, refused_at = tx.execute(
        "SELECT COUNT(*), MIN(created_at) FROM"
        " (SELECT created_at FROM outbox WHERE published_at IS NULL AND retry_at > 0 LIMIT ?) AS waiting",
        (count_up_to,),
    ).fetchone()
    error = tx.execute(
        "SELECT last_error FROM outbox WHERE published_at IS NULL AND retry_at > 0 AND last_error IS NOT NULL"
        " ORDER BY retry_at LIMIT 1"
    ).fetchone()
    ages = [at for at in (oldest[0] if oldest else None, refused_at) if at is not None]
    return Backlog(min(count_up_to, new + refused), refused, min(ages, default=None), error[0] if error else None)


def after(tx: Tx, *, seq: int, limit: int) -> list[OutboxEvent]:
    """Read the events that follow a sequence number, oldest first, without those whose bodies were dropped."""
    return _events(
        tx.execute(
            f"SELECT {_COLUMNS} FROM outbox WHERE seq > ? AND body <> '' ORDER BY seq LIMIT ?",  # noqa: S608 - constant columns
            (seq, limit),
        ).fetchall()
    )


def of_video(tx: Tx, video_id: str) -> list[OutboxEvent]:
    """Read a video's events, oldest first, without those whose bodies were dropped."""
    return _events(
        tx.execute(
            f"SELECT {_COLUMNS} FROM outbox WHERE video_id = ? AND body <> '' ORDER BY seq",  # noqa: S608 - constant columns
            (video_id,),
        ).fetchall()
    )


def last_seq(tx: Tx) -> int:
    """Give the newest event's sequence number, 0 where there is none."""
    newest: int = tx.execute("SELECT COALESCE(MAX(seq), 0) FROM outbox").fetchone()[0]
    return newest


def seq_of(tx: Tx, event_id: str) -> int | None:
    """Give an event's sequence number."""
    row = tx.execute("SELECT seq FROM outbox WHERE event_id = ?", (event_id,)).fetchone()
    return None if row is None else row[0]


def last_old(tx: Tx, *, after: int, before: float, limit: int) -> tuple[int, int] | None:
    """Of the next `limit` events give the last one that was made before a time, and the number of such ones."""
    last, rows = tx.execute(
        "SELECT MAX(seq), COUNT(*)"
        " FROM (SELECT seq, created_at FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?) AS following"
        " WHERE created_at < ?",
        (after, limit, before),
    ).fetchone()
    return None if last is None else (last, rows)


def drop_bodies(tx: Tx, *, after: int, up_to: int) -> None:
    """Drop the bodies of events that were published and are no video's end."""
    tx.execute(
        "UPDATE outbox SET body = '' WHERE seq > ? AND seq <= ? AND published_at IS NOT NULL"
        " AND type NOT IN ('video.ready', 'video.failed')",
        (after, up_to),
    )
