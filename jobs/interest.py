"""Whether anybody is interested in what a provider says about an attempt."""

from uuid import UUID

from jobs.policy import LATE_RESULT_SECONDS
from store import attempts
from store.transaction import Tx


def is_young(attempt_id: str, *, now: float) -> bool:
    """Say whether an attempt began so lately that its late watch cannot be over: its id is a UUIDv7, with the time."""
    began_at = (UUID(hex=attempt_id).int >> 80) / 1000
    return now - began_at < LATE_RESULT_SECONDS


def is_awaited(tx: Tx, attempt_id: str, *, now: float) -> bool:
    """Say whether an attempt is open, or ended less than the late watch ago. Erased ones are not awaited."""
    attempt = attempts.get(tx, attempt_id)
    return attempt is not None and (attempt.finished_at is None or now - attempt.finished_at < LATE_RESULT_SECONDS)
