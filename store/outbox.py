"""The outbox: events that were decided, in the order of their commits, published or not yet."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.names import EventType
from store.transaction import Topic, Tx


class OutboxEvent(NamedTuple):
    """One event as it is stored; `body` is the finished document, `created_at` Unix seconds."""

    seq: int
    event_id: str
    video_id: str
    type: str
    routing_key: str
    body: str
    created_at: float


_COLUMNS = "seq, event_id, video_id, type, routing_key, body, created_at"


def _events(rows: list[Any]) -> list[OutboxEvent]:
    return [OutboxEvent(*row) for row in rows]


def add(
    tx: Tx, *, event_id: str, video_id: str, event_type: EventType, routing_key: str, body: str, now: float
) -> bool:
    """Store an event unless it is already there, and wake the relay; say whether it is new."""
    added = tx.execute(
        "INSERT INTO outbox (event_id, video_id, type, routing_key, body, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (event_id) DO NOTHING",
        (event_id, video_id, event_type, routing_key, body, now),
    )
    tx.must_sync()
    tx.wake(Topic.EVENTS)
    return added.rowcount == 1


def unpublished(tx: Tx, *, limit: int) -> list[OutboxEvent]:
    """Read the oldest events that no broker has confirmed."""
    return _events(
        tx.execute(
            f"SELECT {_COLUMNS} FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT ?",  # noqa: S608 - constant columns
            (limit,),
        ).fetchall()
    )


def mark_published(tx: Tx, seqs: Collection[int], *, now: float) -> None:
    """Note that the broker has confirmed exactly these events."""
    tx.executemany("UPDATE outbox SET published_at = ?, last_error = NULL WHERE seq = ?", [(now, seq) for seq in seqs])


def note_error(tx: Tx, seq: int, error: str) -> None:
    """Note why an event could not be published."""
    tx.execute("UPDATE outbox SET last_error = ? WHERE seq = ?", (error, seq))


def publish_again(tx: Tx, video_id: str) -> str | None:
    """Have a video's terminal event published once more; give its id, or None where there is none."""
    row = tx.execute(
        "UPDATE outbox SET published_at = NULL"
        " WHERE video_id = ? AND type IN ('video.ready', 'video.failed') RETURNING event_id",
        (video_id,),
    ).fetchone()
    if row is None:
        return None
    tx.wake(Topic.EVENTS)
    return str(row[0])


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be published."""

    count: int
    oldest_at: float | None
    last_error: str | None


def backlog(tx: Tx, *, count_up_to: int = 10_000) -> Backlog:
    """Measure what waits to be published; the count stops at `count_up_to`."""
    oldest = tx.execute(
        "SELECT created_at, last_error FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT 1"
    ).fetchone()
    count: int = tx.execute(
        "SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT ?) AS waiting", (count_up_to,)
    ).fetchone()[0]
    return Backlog(count, *(oldest or (None, None)))


def after(tx: Tx, *, seq: int, limit: int) -> list[OutboxEvent]:
    """Read the events that follow a sequence number, oldest first."""
    return _events(
        tx.execute(
            f"SELECT {_COLUMNS} FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - constant columns
            (seq, limit),
        ).fetchall()
    )


def of_video(tx: Tx, video_id: str) -> list[OutboxEvent]:
    """Read a video's events, oldest first."""
    return _events(
        tx.execute(
            f"SELECT {_COLUMNS} FROM outbox WHERE video_id = ? ORDER BY seq",  # noqa: S608 - constant columns
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
