"""Judge by recent commits whether the next one may be made on the event loop."""

from collections import deque

LONGEST_COMMIT = 0.002
"""How many seconds every recent commit may have taken for the next to be made on the event loop."""

LONGEST_HOLD = 0.02
"""How many seconds the statements and the commit together may have taken."""

LARGEST_ON_LOOP = 100
"""Up to how many pieces of work a group on the event loop has; each takes about a tenth of a millisecond."""

_RECENT = 16


class Pace:
    """How long the newest commits took, those that were synced apart from those that were not.

    A single slow one sends the next sixteen of its kind to the writer thread. It is the commit that counts, not its
    share for each piece of work: a loop that is held gathers larger groups, in which the share looks small.
    """

    def __init__(self) -> None:
        self._synced: deque[float] = deque(maxlen=_RECENT)
        self._unsynced: deque[float] = deque(maxlen=_RECENT)

    def note(self, *, commit: float, whole: float, synced: bool) -> None:
        """Note how many seconds a commit took, and the whole transaction with it."""
        recent = self._synced if synced else self._unsynced
        recent.append(whole if whole > LONGEST_HOLD else commit)

    def is_quick(self, *, synced: bool) -> bool:
        """Say whether a commit of this kind may be made on the event loop. The first few never are.

        One that is not synced may still wait for the disk when the write-ahead log starts anew.
        """
        needed = self._synced if synced else self._unsynced
        return len(needed) == _RECENT and max(*self._synced, *self._unsynced) <= LONGEST_COMMIT
