"""The wall clock is put forwards and back; this notices it, by a clock that only ever goes on."""

import time
from collections import deque
from collections.abc import Callable

_SMALLEST_STEP = 2.0
"""Seconds; what is less is a clock being slewed, or a busy machine."""

_KEPT = 100


def steady() -> float:
    """Give seconds that pass evenly, also while the machine is suspended, and mean nothing else."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Clock:
    """The steps of the wall clock that one process has seen."""

    def __init__(self, wall: Callable[[], float] = time.time, even: Callable[[], float] = steady) -> None:
        """Watch `wall`, which gives Unix seconds, by `even`."""
        self._wall, self._even = wall, even
        self._ahead = wall() - even()
        self._forwards: deque[tuple[float, float]] = deque(maxlen=_KEPT)

    def look(self) -> float:
        """Say by how many seconds the clock was put forward since the last look, or, below zero, back."""
        now = self._wall()
        ahead = now - self._even()
        step = ahead - self._ahead
        if abs(step) < _SMALLEST_STEP:
            return 0.0
        self._ahead = ahead
        if step > 0:
            self._forwards.append((now - step, step))
        return step

    def skipped_since(self, at: float) -> float:
        """Say how many of the seconds since a time never passed, because the clock was put forward over them."""
        self.look()
        return sum(step for before, step in self._forwards if at <= before)
