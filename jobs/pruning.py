"""Drop the bodies of events and webhooks that nobody reads any more; the rows stay, with their ids and times.

A terminal event keeps its body: delivered again after years, it has the same id and the same bytes.
"""

from jobs.policy import LATE_RESULT_SECONDS
from store import outbox, pruned, webhooks
from store.transaction import Tx

EVENTS_KEPT = 7 * 86400.0
"""Seconds for which the body of every published event is kept, as long as the broker's log keeps it."""

WEBHOOKS_KEPT = 2 * LATE_RESULT_SECONDS
"""Seconds for which a webhook's body is kept: an attempt that was given up is watched for half of that."""


def prune_events(tx: Tx, *, now: float, limit: int) -> int:
    """Look at the next `limit` events, and drop the bodies that are too old; say how many were."""
    before = now - EVENTS_KEPT
    place = pruned.place(tx, "outbox")
    old = outbox.last_old(tx, after=place, before=before, limit=limit)
    if old is None:
        return 0
    last, rows = old
    outbox.drop_bodies(tx, after=place, up_to=last)
    pruned.keep_place(tx, "outbox", last)
    return rows


def prune_webhooks(tx: Tx, *, now: float, limit: int) -> int:
    """Look at the next `limit` webhooks, and drop the bodies that are too old; say how many were."""
    before = now - WEBHOOKS_KEPT
    place = pruned.place(tx, "webhooks")
    old = webhooks.last_old(tx, after=place, before=before, limit=limit)
    if old is None:
        return 0
    last, rows = old
    webhooks.drop_bodies(tx, after=place, up_to=last)
    pruned.keep_place(tx, "webhooks", last)
    return rows
