"""How the newest videos of a provider were taken, and how they ended."""

from typing import NamedTuple

from schemas.names import Provider
from store.transaction import Tx


class Ended(NamedTuple):
    """An attempt that made a video; times in Unix seconds, `woken_at` of its newest webhook."""

    accepted_at: float | None
    woken_at: float | None
    finished_at: float


def ended(tx: Tx, provider: Provider, *, limit: int) -> list[Ended]:
    """List, of the newest `limit` videos of a provider, the attempts that succeeded."""
    rows = tx.execute(
        "SELECT attempts.accepted_at, attempts.woken_at, attempts.finished_at FROM"
        " (SELECT id FROM videos WHERE provider = :provider ORDER BY id DESC LIMIT :limit) AS newest"
        " JOIN attempts ON attempts.video_id = newest.id AND attempts.provider = :provider"
        " AND attempts.state = 'succeeded'",
        {"provider": provider, "limit": limit},
    ).fetchall()
    return [Ended(*row) for row in rows]


def taken(tx: Tx, provider: Provider, *, limit: int) -> list[tuple[float, float]]:
    """List, of the newest `limit` videos of a provider, when submissions that it accepted were sent and accepted."""
    rows: list[tuple[float, float]] = tx.execute(
        "SELECT attempts.submitted_at, attempts.accepted_at FROM"
        " (SELECT id FROM videos WHERE provider = :provider ORDER BY id DESC LIMIT :limit) AS newest"
        " JOIN attempts ON attempts.video_id = newest.id AND attempts.provider = :provider"
        " WHERE attempts.submitted_at IS NOT NULL AND attempts.accepted_at IS NOT NULL",
        {"provider": provider, "limit": limit},
    ).fetchall()
    return rows
