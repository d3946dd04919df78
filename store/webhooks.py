"""Webhooks as they came: an append-only inbox, and the note that each was acted on."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from store.marks import in_groups
from store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Webhook:
    """One delivery. `body` is None where it was too large or is too old to keep; `size` is what arrived, in bytes."""

    id: int
    attempt_id: str
    received_at: float
    content_type: str | None
    body: bytes | None
    size: int
    headers: dict[str, str]
    """Those that the provider's signature needs, in lower case."""


_COLUMNS = "id, attempt_id, received_at, content_type, body, size, headers"


class Delivery(NamedTuple):
    """One delivery; `body` is None where it was too large to keep or did not come whole, `size` is in bytes."""

    attempt_id: str
    body: bytes | None
    size: int
    content_type: str | None
    headers: Mapping[str, str] | None = None
    """Those that the provider's signature needs, in lower case."""


def _webhook(row: Sequence[Any]) -> Webhook:
    return Webhook(*[*row[:-1], json.loads(row[-1]) if row[-1] else {}])


KEPT_OF_AN_ATTEMPT = 200
"""How many deliveries of one attempt are kept, the newest with bodies and as many without; older ones are dropped."""


def record(tx: Tx, deliveries: Sequence[Delivery], *, now: float) -> None:
    """Keep deliveries. What they do comes when checks are claimed: see `jobs.check`."""
    tx.executemany(
        "INSERT INTO webhooks (attempt_id, body, size, content_type, headers, received_at) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (*delivery[:4], json.dumps(dict(delivery.headers)) if delivery.headers else None, now)
            for delivery in deliveries
        ],
    )
    drop_oldest(tx, sorted({delivery[0] for delivery in deliveries}))


def drop_oldest(tx: Tx, attempt_ids: Collection[str]) -> None:
    """Drop the deliveries of attempts beyond the newest `KEPT_OF_AN_ATTEMPT` with bodies and as many without."""
    # Each kind by itself: a flood without bodies must not push out the one that names the job. First those attempts are
    # found that have so many at all, which an index tells.
    for marks, group in in_groups(attempt_ids):
        tx.execute(
            "DELETE FROM webhooks WHERE id IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER"  # noqa: S608 - only marks
            " (PARTITION BY attempt_id, body IS NULL ORDER BY id DESC) AS place FROM webhooks"
            f" WHERE attempt_id IN (SELECT attempt_id FROM webhooks WHERE attempt_id IN ({marks})"
            " GROUP BY attempt_id HAVING COUNT(*) > ?)) AS placed WHERE place > ?)",
            (*group, KEPT_OF_AN_ATTEMPT, KEPT_OF_AN_ATTEMPT),
        )


def unhandled(tx: Tx, *, limit: int) -> list[tuple[int, str]]:
    """Read id and attempt of the oldest deliveries that nobody has acted on."""
    return tx.execute(
        f"SELECT id, attempt_id FROM webhooks WHERE handled_at IS NULL ORDER BY id LIMIT ?{tx.skip_locked}",  # noqa: S608 - constant parts
        (limit,),
    ).fetchall()


def mark_handled(tx: Tx, ids: Collection[int], *, now: float) -> None:
    """Note that exactly these deliveries were acted on."""
    for marks, group in in_groups(ids):
        tx.execute(f"UPDATE webhooks SET handled_at = ? WHERE id IN ({marks})", (now, *group))  # noqa: S608 - only marks


def of_attempt(tx: Tx, attempt_id: str, *, limit: int = 50) -> list[Webhook]:
    """Read the newest deliveries of an attempt, newest first."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM webhooks WHERE attempt_id = ? ORDER BY id DESC LIMIT ?",  # noqa: S608 - constant columns
        (attempt_id, limit),
    ).fetchall()
    return [_webhook(row) for row in rows]


class Shown(NamedTuple):
    """A delivery with the attempt that it is for; the attempt's fields are None where it was erased."""

    webhook: Webhook
    handled_at: float | None
    video_id: str | None
    number: int | None
    provider: str | None
    finished_at: float | None


def page(tx: Tx, *, before: int | None, limit: int) -> list[Shown]:
    """Read deliveries newest first, those older than the delivery `before` where it is given."""
    where = "" if before is None else "WHERE id < :before"
    rows = tx.execute(
        f"SELECT {_COLUMNS}, handled_at FROM webhooks {where} ORDER BY id DESC LIMIT :limit",  # noqa: S608 - constant parts
        {"limit": limit} if before is None else {"before": before, "limit": limit},
    ).fetchall()
    return [Shown(Webhook(*row[:-1]), row[-1], *_attempt_of(tx, row[1])) for row in rows]


def _attempt_of(tx: Tx, attempt_id: str) -> tuple[str | None, int | None, str | None, float | None]:
    row: tuple[str, int, str, float | None] | None = tx.execute(
        "SELECT video_id, number, provider, finished_at FROM attempts WHERE id = ?", (attempt_id,)
    ).fetchone()
    return row or (None, None, None, None)


def with_bodies(tx: Tx, attempt_id: str, *, limit: int = 50) -> list[Webhook]:
    """Read the newest deliveries of an attempt whose bodies were kept, newest first."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM webhooks WHERE attempt_id = ? AND body IS NOT NULL ORDER BY id DESC LIMIT ?",  # noqa: S608 - constant columns
        (attempt_id, limit),
    ).fetchall()
    return [_webhook(row) for row in rows]


def last_old(tx: Tx, *, after: int, before: float, limit: int) -> tuple[int, int] | None:
    """Of the next `limit` deliveries give the last one that came before a time, and the number of such ones."""
    last, rows = tx.execute(
        "SELECT MAX(id), COUNT(*)"
        " FROM (SELECT id, received_at FROM webhooks WHERE id > ? ORDER BY id LIMIT ?) AS following"
        " WHERE received_at < ?",
        (after, limit, before),
    ).fetchone()
    return None if last is None else (last, rows)


def drop_bodies(tx: Tx, *, after: int, up_to: int) -> None:
    """Drop the bodies of deliveries that somebody has acted on, and wholly those of attempts that were erased."""
    tx.execute(
        "DELETE FROM webhooks WHERE id > ? AND id <= ? AND handled_at IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.id = webhooks.attempt_id)",
        (after, up_to),
    )
    tx.execute("UPDATE webhooks SET body = NULL WHERE id > ? AND id <= ? AND handled_at IS NOT NULL", (after, up_to))
