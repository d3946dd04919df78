"""Carry out one scenario: look on while all is well, break it, time what tells, mend it, see that it works again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.broker.node import Node
from tests.drill.scenarios import Scenario
from tests.drill.signs import LogTail, signs
from tests.drill.site import Site, running_site

WITHIN_SECONDS = 30.0
"""Everything that must tell does so by then."""

_CALM_SECONDS = 15.0
_LINGER_SECONDS = 6.0
_MENDED_WITHIN_SECONDS = 120.0
_LOOK_SECONDS = 0.2

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What was seen, each sign with the seconds after which it was seen first."""

    scenario: Scenario
    calm: set[str] = field(default_factory=set)
    """What was told while nothing was wrong."""
    told: dict[str, float] = field(default_factory=dict)
    works_again: float | None = None

    @property
    def missing(self) -> set[str]:
        """What should have told and did not in time."""
        return {sign for sign in self.scenario.tells if self.told.get(sign, WITHIN_SECONDS + 1) > WITHIN_SECONDS}

    @property
    def wrong(self) -> set[str]:
        """What was told and was not so; log lines may say what comes of the fault."""
        expected = self.scenario.tells | self.scenario.may_tell
        return {sign for sign in self.told if sign not in expected and not sign.startswith("log ")}

    @property
    def passed(self) -> bool:
        """Whether everything told in time and nothing wrongly, and it worked again in the end."""
        return not (self.calm or self.missing or self.wrong) and self.works_again is not None


async def carry_out(scenario: Scenario, folder: Path, node: Node, say: Say) -> Outcome:
    """Do one scenario with a service of its own."""
    outcome = Outcome(scenario)
    async with running_site(folder, node) as site:
        logs = LogTail(folder)
        await _look_on(site, logs, outcome)
        say(f"{scenario.name}: broken now")
        await _break(site, logs, outcome)
        await _mend(site, outcome)
    say(f"{scenario.name}: {'told' if outcome.passed else 'NOT AS IT SHOULD BE'}; works again: {outcome.works_again}")
    return outcome


async def _look_on(site: Site, logs: LogTail, outcome: Outcome) -> None:
    until = time.monotonic() + _CALM_SECONDS
    while time.monotonic() < until:
        outcome.calm |= {sign for sign in await signs(site, logs) if not sign.startswith("log ")}
        await asyncio.sleep(_LOOK_SECONDS)


async def _break(site: Site, logs: LogTail, outcome: Outcome) -> None:
    began = time.monotonic()
    await outcome.scenario.breaks(site)
    enough_at: float | None = None
    while (after := time.monotonic() - began) < (enough_at or WITHIN_SECONDS + _LINGER_SECONDS):
        for sign in await signs(site, logs):
            outcome.told.setdefault(sign, time.monotonic() - began)
        if enough_at is None and outcome.scenario.tells <= outcome.told.keys():
            enough_at = after + _LINGER_SECONDS
        await asyncio.sleep(_LOOK_SECONDS)


async def _mend(site: Site, outcome: Outcome) -> None:
    began = time.monotonic()
    await outcome.scenario.mends(site)
    while time.monotonic() - began < _MENDED_WITHIN_SECONDS:
        ready = await site.get("/readyz")
        if ready is not None and ready.status_code == 200 and await site.makes_videos():
            outcome.works_again = time.monotonic() - began
            return
        await asyncio.sleep(_LOOK_SECONDS)
