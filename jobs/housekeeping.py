"""Drop what nobody can need any more, a little at a time."""

from jobs import ledger, pruning
from jobs.policy import Policy
from providers.registry import PROVIDERS
from store import audit, idempotency, uploads
from store.transaction import Tx
from store.uploads import Dropped

_KEYS_KEPT = 48 * 3600.0
_AT_ONCE = 50
_ROWS_AT_ONCE = 500


def sweep(tx: Tx, *, now: float) -> int:
    """Drop old idempotency keys and audit entries, and the bodies of old events and webhooks.

    The old part of the ledger is summed up. Say how many rows it was.
    """
    rows = idempotency.forget_keys(tx, before=now - _KEYS_KEPT, limit=_ROWS_AT_ONCE)
    rows += audit.prune(tx, now=now, limit=_AT_ONCE)
    rows += sum(ledger.fold(tx, provider, now=now, limit=_ROWS_AT_ONCE) for provider in PROVIDERS)
    return rows + pruning.prune(tx, now=now, limit=_ROWS_AT_ONCE)


def drop_pictures(tx: Tx, policy: Policy, *, now: float) -> Dropped:
    """Drop pictures that no provider may still fetch. Their files are to be removed after the commit."""
    return uploads.drop(tx, unused_before=now - policy.media_ttl, limit=_AT_ONCE)
