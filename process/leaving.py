"""What a process had in hand when it was told to stop."""

from dataclasses import dataclass


@dataclass(slots=True)
class Leaving:
    """Pieces of work that were in hand at the end: those that were finished, and those that took too long."""

    finished: int = 0
    cancelled: int = 0


leaving = Leaving()
