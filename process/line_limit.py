"""Bound the log lines that anybody outside can have written (log flooding)."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

LINES_A_SECOND = 20
"""How many lines one caller can have written in a second; all strangers together are one caller."""

_MOST_CALLERS = 1000


@dataclass(slots=True)
class _Second:
    began: float
    lines: int = 0
    unlogged: int = 0


class LineLimit:
    """Counts lines in each second; what is over the bound is counted instead, and told with the next line."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seconds: OrderedDict[str | None, _Second] = OrderedDict()

    def allowance(self, caller: str | None) -> int | None:
        """Give how many lines were left out since the caller's last, or None where this one is to be left out."""
        now = self._now()
        second = self._seconds.pop(caller, None) or _Second(now)
        self._seconds[caller] = second
        if len(self._seconds) > _MOST_CALLERS:
            self._seconds.popitem(last=False)
        if now - second.began >= 1:
            second.began, second.lines = now, 0
        if second.lines >= LINES_A_SECOND:
            second.unlogged += 1
            return None
        second.lines += 1
        unlogged, second.unlogged = second.unlogged, 0
        return unlogged


class LimitedLog:
    """Warns of what anybody who may send messages can cause, within the bound."""

    def __init__(self, log: FilteringBoundLogger, now: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._lines = LineLimit(now)

    def warning(self, event: str, **facts: object) -> None:
        """Write a line, or count it where there were too many; the next one says how many were not written."""
        unlogged = self._lines.allowance(None)
        if unlogged is not None:
            self._log.warning(event, **facts, **unlogged_before(unlogged))


def unlogged_before(lines: int) -> dict[str, int]:
    """Give the field of a line before which others were left out."""
    return {"unlogged_before": lines} if lines else {}
