"""Drop what nobody can need any more, a little at a time."""

from collections.abc import Callable
from functools import partial

from jobs import ledger, pruning
from jobs.policy import Policy
from providers.registry import PROVIDERS
from store import audit, idempotency, uploads
from store.transaction import Tx
from store.uploads import Dropped

_KEYS_KEPT = 48 * 3600.0
_AT_ONCE = 50
ROWS_AT_ONCE = 50


def sweep(tx: Tx, *, now: float) -> int:
    """Drop some old idempotency keys, audit entries, or bodies of old events or webhooks, or sum up old credits.

    Only one of these, and a little of it, for it holds up everybody else who writes. Say how many rows it was.
    """
    sweeps: list[Callable[[], int]] = [
        lambda: idempotency.forget_keys(tx, before=now - _KEYS_KEPT, limit=ROWS_AT_ONCE),
        lambda: audit.prune(tx, now=now, limit=ROWS_AT_ONCE),
        *(partial(ledger.fold, tx, provider, now=now, limit=ROWS_AT_ONCE) for provider in PROVIDERS),
        lambda: pruning.prune_events(tx, now=now, limit=ROWS_AT_ONCE),
        lambda: pruning.prune_webhooks(tx, now=now, limit=ROWS_AT_ONCE),
    ]
    return next((rows for each in sweeps if (rows := each())), 0)


def drop_pictures(tx: Tx, policy: Policy, *, now: float) -> Dropped:
    """Drop pictures that no provider may still fetch. Their files are to be removed after the commit."""
    return uploads.drop(tx, unused_before=now - policy.media_ttl, limit=_AT_ONCE)
