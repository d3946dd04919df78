"""What the broker's publisher confirms mean for the outbox: published for good, or refused and tried again later."""

from collections.abc import Sequence

from store import outbox
from store.outbox import OutboxEvent
from store.transaction import Tx


def apply(
    tx: Tx,
    confirmed: Sequence[OutboxEvent],
    refused: Sequence[tuple[OutboxEvent, str]],
    *,
    pause: tuple[float, float],
    limit: int,
    now: float,
) -> list[OutboxEvent]:
    """Mark what was confirmed and what was refused, each with why; read up to `limit` events that may be sent next.

    `pause` is the shortest and the longest wait, in seconds, before a refused event is sent again: each refusal
    doubles it.
    """
    least, most = pause
    outbox.mark_published(tx, [event.seq for event in confirmed], now=now)
    for event, why in refused:
        retry_at = now + min(most, least * 2.0 ** min(event.refusals, 30))
        outbox.refuse(tx, event, why, retry_at=retry_at)
    return outbox.sendable(tx, now=now, limit=limit)
