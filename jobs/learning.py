"""Keep what is learnt of providers' durations in the store, in the very transactions that end attempts."""

import math

from jobs.durations import Plan
from schemas.names import DetectedBy, Provider
from store import durations
from store.attempts import AttemptRow
from store.transaction import Tx


def plan(tx: Tx, provider: Provider) -> Plan:
    """Read what is known of how long a provider's jobs take."""
    stored = durations.load(tx, provider)
    return Plan() if stored is None else Plan.loads(stored)


def learn_end(tx: Tx, attempt: AttemptRow, *, detected_by: DetectedBy, now: float) -> None:
    """Learn from an end that was found now; `attempt` is as it was claimed for the check that found it.

    The job ended since the check before. A webhook's time is that of the end itself; one that came before the
    job was even known to be accepted tells nothing of its duration.
    """
    accepted_at = now if attempt.accepted_at is None else attempt.accepted_at
    if detected_by is DetectedBy.WEBHOOK and attempt.woken_at is not None:
        found_at = unfinished_at = attempt.woken_at
    else:
        found_at, unfinished_at = now, max(attempt.checked_at or 0.0, accepted_at)
    if found_at > accepted_at:
        _learn(tx, attempt.provider, unfinished_at - accepted_at, found_at - accepted_at)


def learn_no_end(tx: Tx, attempt: AttemptRow, *, now: float) -> None:
    """Learn that a job that was given up now had not ended."""
    _learn(tx, attempt.provider, now - (attempt.accepted_at or now), math.inf)


def _learn(tx: Tx, provider: Provider, unfinished_at: float, finished_at: float) -> None:
    durations.save(tx, provider, plan(tx, provider).seen(unfinished_at, finished_at).dumps())
