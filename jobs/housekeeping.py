"""Drop what nobody can need any more, a little at a time."""

from jobs.policy import Policy
from store import videos
from store.transaction import Tx

_KEYS_KEPT = 48 * 3600.0
_AT_ONCE = 50


def sweep(tx: Tx, policy: Policy, *, now: float) -> int:
    """Drop old idempotency keys, and pictures that no provider may still fetch; say how many."""
    keys = videos.forget_keys(tx, before=now - _KEYS_KEPT)
    return keys + videos.drop_pictures(tx, finished_before=now - policy.media_ttl, limit=_AT_ONCE)
