"""Idempotency keys, and the videos that they stand for."""

from dataclasses import dataclass

from store.transaction import Tx


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What an idempotency key stands for."""

    fingerprint: str
    video_id: str


def keep_key(tx: Tx, *, caller: str, key: str, kept: KeptKey, now: float) -> KeptKey:
    """Bind a caller's idempotency key to a video, unless it is bound already; give what it stands for."""
    added = tx.execute(
        "INSERT INTO idempotency_keys (caller, key, fingerprint, video_id, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (caller, key) DO NOTHING",
        (caller, key, kept.fingerprint, kept.video_id, now),
    )
    if added.rowcount == 1:
        return kept
    row = tx.execute(
        "SELECT fingerprint, video_id FROM idempotency_keys WHERE caller = ? AND key = ?", (caller, key)
    ).fetchone()
    return KeptKey(*row)


def drop_key(tx: Tx, *, caller: str, key: str) -> None:
    """Free an idempotency key, so that its caller can use it for another request."""
    tx.execute("DELETE FROM idempotency_keys WHERE caller = ? AND key = ?", (caller, key))


def forget_keys(tx: Tx, *, before: float, limit: int) -> int:
    """Drop up to `limit` idempotency keys older than `before`; say how many."""
    return tx.execute(
        "DELETE FROM idempotency_keys WHERE (caller, key) IN"
        " (SELECT caller, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)",
        (before, limit),
    ).rowcount
