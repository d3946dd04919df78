"""Tell a dead owner from a living one by what an observer saw itself, whatever the wall clock does."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs.policy import ABANDONED_LEASE_SECONDS, LEASE_SECONDS, STORE_POLL_SECONDS
from store.attempts import AttemptRow

_LONGEST_STEP = 2 * STORE_POLL_SECONDS
"""What lies between two looks counts for no more: an observer that stood still saw nobody fail to renew."""


@dataclass(slots=True)
class Sightings:
    """For how long one process has seen leases unrenewed, by its own steady clock."""

    _seen: dict[str, tuple[object, float]] = field(default_factory=dict)
    _looked_at: float | None = None

    def lapsed(self, leased: Sequence[AttemptRow], *, owner: str, at: float) -> list[AttemptRow]:
        """Keep the attempts whose owners have not renewed their leases for as long as a lease lasts.

        One's own must have gone unrenewed for much longer: it may still be at them.
        """
        elapsed = 0.0 if self._looked_at is None else min(at - self._looked_at, _LONGEST_STEP)
        self._looked_at = at
        seen: dict[str, tuple[object, float]] = {}
        for row in leased:
            lease = (row.lease_owner, row.due_at)
            before, seconds = self._seen.get(row.id, (None, 0.0))
            seen[row.id] = (lease, seconds + elapsed if before == lease else 0.0)
        self._seen = seen
        return [row for row in leased if seen[row.id][1] >= _longest(row, owner)]


def _longest(row: AttemptRow, owner: str) -> float:
    return ABANDONED_LEASE_SECONDS if row.lease_owner == owner else LEASE_SECONDS
