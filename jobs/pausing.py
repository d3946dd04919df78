"""Pause a provider by hand, and resume it: with who did so, in one transaction."""

from jobs import audit
from schemas.audit import AuditAction
from schemas.names import Provider
from store import pauses
from store.transaction import Signal, Tx


def pause(tx: Tx, provider: Provider, *, caller: str, now: float) -> bool:
    """Give a provider no new work until it is resumed; say whether it had any until now."""
    changed = pauses.begin(tx, provider, caller=caller, now=now)
    if changed:
        audit.record(tx, AuditAction.PAUSED, actor=caller, subject=provider, now=now)
    return changed


def resume(tx: Tx, provider: Provider, *, caller: str, now: float) -> bool:
    """Give a provider work again; say whether it was paused."""
    changed = pauses.end(tx, provider)
    if changed:
        audit.record(tx, AuditAction.RESUMED, actor=caller, subject=provider, now=now)
    tx.notify(Signal.SUBMISSIONS)
    return changed
