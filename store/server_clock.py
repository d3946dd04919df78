"""The clock of a database server, kept by this machine's steady one: its wall clock decides nothing."""

import time
from collections.abc import Callable

from store.transaction import Tx

LOOK_SECONDS = 20.0
"""How often it is looked at: quartz errs by a millisecond in that time at the most."""


def steady() -> float:
    """Give seconds that pass evenly, also while the machine is suspended, and mean nothing else."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ServerClock:
    """What time it is at the server, from when it was first looked at; until then this machine's own time."""

    def __init__(self, even: Callable[[], float] = steady) -> None:
        self._even = even
        self._ahead = time.time() - even()
        self._looked_at: float | None = None

    @property
    def due(self) -> bool:
        """Whether it is time to look at it again."""
        return self._looked_at is None or self._even() - self._looked_at >= LOOK_SECONDS

    def now(self) -> float:
        """Give the time in Unix seconds."""
        return self._even() + self._ahead

    def look(self, tx: Tx) -> None:
        """Ask the server for its time. Raises what the statement raises."""
        before = self._even()
        sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
        theirs: float = tx.execute(sql).fetchone()[0]
        self.heard(theirs, before=before, after=self._even())

    def heard(self, theirs: float, *, before: float, after: float) -> None:
        """Note a time that the server gave between two times of the steady clock.

        How long either way took is not known. So what was known before stays where it is possible.
        """
        middle = theirs - (before + after) / 2
        kept = middle if self._looked_at is None else self._ahead
        self._ahead = min(max(kept, theirs - after), theirs - before)
        self._looked_at = after
