"""Tell operators of rows that were put aside."""

from collections.abc import Sequence

import structlog

from process import metrics
from store.unreadable import Unreadable

log = structlog.get_logger(__name__)


def tell_unreadable(rows: Sequence[Unreadable]) -> None:
    """Log the oldest of the rows that this release cannot read, and count them all."""
    metrics.rows_unreadable.set(len(rows))
    if rows:
        oldest = rows[0]
        log.warning("rows put aside as unreadable", count=len(rows), kind=oldest.kind, id=oldest.id, why=oldest.reason)
