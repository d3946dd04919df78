"""Failpoints (fault injection): named places between two durable effects where a test makes a process die or wait.

`REELBUS_TEST_CRASH` is a comma-separated list of `NAME[:N]` (die the N-th time the place is reached, the first by
default) and `REELBUS_TEST_SLOW` of `NAME:SECONDS`. Without them a place costs one look into an empty mapping.
"""

import asyncio
import os
from collections.abc import Mapping

POINTS = frozenset(
    {
        "picture stored",
        "accepted",
        "routed",
        "claimed",
        "intent written",
        "answer read",
        "acceptance recorded",
        "webhook recorded",
        "check claimed",
        "look answered",
        "cancel answered",
        "lookup answered",
        "result proven",
        "settled",
        "relayed",
        "confirmed",
        "marked",
        "command accepted",
    }
)
"""Every place there is; each is reached by exactly one line of the product."""

EXIT_STATUS = 86
"""With what a process leaves that was told to die."""


class _Plan:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.deaths = {name: int(count or 1) for name, count in _pairs(environ.get("REELBUS_TEST_CRASH", ""))}
        self.delays = {name: float(seconds) for name, seconds in _pairs(environ.get("REELBUS_TEST_SLOW", ""))}
        if unknown := (self.deaths.keys() | self.delays.keys()) - POINTS:
            raise SystemExit(f"REELBUS_TEST_CRASH or REELBUS_TEST_SLOW name unknown places: {sorted(unknown)}")

    def count_down(self, name: str) -> None:
        """Die if this is the time."""
        if name in self.deaths:
            self.deaths[name] -= 1
            if self.deaths[name] == 0:
                os._exit(EXIT_STATUS)


def _pairs(text: str) -> list[tuple[str, str]]:
    parts = (part.partition(":") for part in text.split(",") if part.strip())
    return [(name.strip().replace("-", " "), value) for name, _, value in parts]


_plan = _Plan(os.environ)


async def failpoint(name: str) -> None:
    """Say that the process is at a place where it may be told to die or to wait."""
    if name in _plan.delays:
        await asyncio.sleep(_plan.delays[name])
    if _plan.deaths:
        _plan.count_down(name)
