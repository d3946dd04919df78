"""Webhook requests that were refused: the newest ones, without their tokens and bodies."""

from typing import NamedTuple

from store.transaction import Tx

KEPT_ROWS = 1000


class Refused(NamedTuple):
    """One refused request; `at` in Unix seconds."""

    id: int
    at: float
    provider: str
    peer: str
    reason: str


def add(tx: Tx, *, provider: str, peer: str, reason: str, now: float) -> None:
    """Keep one, and drop what is older than the newest thousand."""
    tx.execute(
        "INSERT INTO refused_webhooks (at, provider, peer, reason) VALUES (?, ?, ?, ?)", (now, provider, peer, reason)
    )
    tx.execute("DELETE FROM refused_webhooks WHERE id <= (SELECT MAX(id) FROM refused_webhooks) - ?", (KEPT_ROWS,))


def newest(tx: Tx, *, limit: int) -> list[Refused]:
    """List the newest ones, newest first."""
    rows = tx.execute(
        "SELECT id, at, provider, peer, reason FROM refused_webhooks ORDER BY id DESC LIMIT ?", (limit,)
    ).fetchall()
    return [Refused(*row) for row in rows]
