"""Tell operators of rows that were put aside, and of providers that are switched off while they have work."""

from collections.abc import Collection, Sequence

import structlog

from process import metrics
from process.provider_log import Answering, ProviderLog
from providers.registry import PROVIDERS
from providers.reports import Report, Unavailable
from schemas.names import Provider
from store.announcements import Role
from store.unreadable import Unreadable

log = structlog.get_logger(__name__)


def log_unreadable(rows: Sequence[Unreadable]) -> None:
    """Log the oldest of the rows that this release cannot read, and count them all."""
    metrics.rows_unreadable.set(len(rows))
    if rows:
        oldest = rows[0]
        log.warning("rows put aside as unreadable", count=len(rows), kind=oldest.kind, id=oldest.id, why=oldest.reason)


def log_answer(providers: ProviderLog, provider: Provider, report: Report) -> None:
    """Log when a provider begins to answer badly or well again."""
    match report:
        case Unavailable(message, unauthorized=True):
            providers.note(provider, Answering.UNAUTHORIZED, message)
        case Unavailable(message):
            providers.note(provider, Answering.UNAVAILABLE, message)
        case _:
            providers.note(provider, Answering.WELL)


def log_switched_off(off: Collection[tuple[Role, Provider]], ended: int) -> None:
    """Count the providers that nobody has, and log what was ended because of it."""
    for provider in PROVIDERS:
        metrics.provider_switched_off.labels(provider).set(any(name == provider for _, name in off))
    if ended:
        names = sorted({str(name) for _, name in off})
        log.warning("attempts of providers that are switched off ended", providers=names, count=ended)
