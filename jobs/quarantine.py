"""Look again at the rows that were put aside as unreadable: after an upgrade they may be read."""

from store import attempts, unreadable, videos
from store.transaction import Tx
from store.unreadable import Kind, Unreadable

_AT_ONCE = 200


def review(tx: Tx) -> list[Unreadable]:
    """Take back the rows that can be read by now, and give those that cannot."""
    still = []
    for row in unreadable.listed(tx, limit=_AT_ONCE):
        try:
            _read(tx, row)
        except (ValueError, TypeError):
            still.append(row)
        else:
            unreadable.restore(tx, row)
    return still


def _read(tx: Tx, row: Unreadable) -> None:
    if row.kind is Kind.VIDEO:
        videos.get(tx, row.id)
        return
    attempt = attempts.get(tx, row.id)
    if attempt is not None:
        videos.get(tx, attempt.video_id)
