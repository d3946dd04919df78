"""Drop what nobody can need any more, a little at a time."""

from jobs.policy import Policy
from store import audit, uploads, videos
from store.transaction import Tx
from store.uploads import Dropped

_KEYS_KEPT = 48 * 3600.0
_AT_ONCE = 50


def sweep(tx: Tx, *, now: float) -> int:
    """Drop old idempotency keys and audit entries; say how many."""
    return videos.forget_keys(tx, before=now - _KEYS_KEPT) + audit.prune(tx, now=now, limit=_AT_ONCE)


def drop_pictures(tx: Tx, policy: Policy, *, now: float) -> Dropped:
    """Drop pictures that no provider may still fetch. Their files are to be removed after the commit."""
    return uploads.drop(tx, unused_before=now - policy.media_ttl, limit=_AT_ONCE)
