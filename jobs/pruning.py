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


def prune(tx: Tx, *, now: float, limit: int) -> int:
    """Look at the next `limit` rows of each table, and drop what is too old; say how many were."""
    return _prune_events(tx, now - EVENTS_KEPT, limit) + _prune_webhooks(tx, now - WEBHOOKS_KEPT, limit)


def _prune_events(tx: Tx, before: float, limit: int) -> int:
    place = pruned.place(tx, "outbox")
    last = outbox.last_old(tx, after=place, before=before, limit=limit)
    if last is None:
        return 0
    outbox.drop_bodies(tx, after=place, up_to=last)
    pruned.keep_place(tx, "outbox", last)
    return last - place


def _prune_webhooks(tx: Tx, before: float, limit: int) -> int:
    place = pruned.place(tx, "webhooks")
    last = webhooks.last_old(tx, after=place, before=before, limit=limit)
    if last is None:
        return 0
    webhooks.drop_bodies(tx, after=place, up_to=last)
    pruned.keep_place(tx, "webhooks", last)
    return last - place
