"""Whether a provider's webhooks come: read from its newest videos, and so true after any restart."""

from itertools import takewhile
from statistics import median

from providers.registry import capabilities
from schemas.names import Provider
from schemas.status import WebhookRecord
from store import newest
from store.newest import Ended
from store.transaction import Tx

NEWEST = 50
"""Of how many videos the record is."""


def of_provider(tx: Tx, provider: Provider) -> WebhookRecord | None:
    """Read a provider's record; None for one that calls nobody back."""
    if not capabilities(provider).calls_back:
        return None
    made = sorted(newest.ended(tx, provider, limit=NEWEST), key=lambda attempt: attempt.finished_at, reverse=True)
    delays = [attempt.finished_at - attempt.woken_at for attempt in made if attempt.woken_at and _prompted(attempt)]
    return WebhookRecord(
        videos=len(made),
        arrived=sum(attempt.woken_at is not None for attempt in made),
        missed_in_a_row=sum(1 for _ in takewhile(lambda attempt: attempt.woken_at is None, made)),
        seconds_to_end=round(median(delays), 3) if delays else None,
    )


def _prompted(attempt: Ended) -> bool:
    return attempt.woken_at is not None and attempt.woken_at <= attempt.finished_at
