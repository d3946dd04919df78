"""The four providers of the kit in a run: what they usually do, what is done to them, and what they saw."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from providers.registry import PROVIDERS
from sandbox.kit.life import LOST, TWICE, Habits, Life
from sandbox.kit.serving import NAMES, environment, living
from schemas.names import Provider

KIT = NAMES

_STORIES = {"ok": 50.0, "drop": 3.0, "500-after": 1.0, "html": 1.0, "503": 2.0, "503-later": 1.0, "bad-request": 1.0}
_WEBHOOKS = {"": 50.0, LOST: 25.0, TWICE: 8.0, "unsigned": 4.0, "changed": 4.0, "old": 4.0, "garbled": 4.0}
_WISH = re.compile(r"house number \d+")
REFUNDS: Mapping[str, dict[str, object]] = {
    "unknown": {"status": "unknown", "credits": None},
    "charged": {"status": "charged", "credits": 0},
    "not_charged": {"status": "not_charged", "credits": 0},
}


@dataclass(frozen=True, slots=True)
class Kit:
    """The lives of the four."""

    lives: Mapping[str, Life]

    def usual(self) -> None:
        """Have all of them behave as they usually do: answers lost, limits met, every fifth signature bad."""
        for life in self.lives.values():
            failures = dict.fromkeys(life.stand_in.failures, 2.0)
            limits = {"limit": 4.0} if "limit" in life.stand_in.refusals else {}
            life.habits = Habits({**_STORIES, **failures, **limits}, _WEBHOOKS)

    def spoil(self, chance: random.Random, **habits: Any) -> None:
        """Change the habits of two of them."""
        for name in chance.sample(KIT, 2):
            life = self.lives[name]
            given = dict(habits)
            if "limit" in given.get("stories", {}) and "limit" not in life.stand_in.refusals:
                given["stories"] = {"503": 5.0, "ok": 1.0}  # it has no such refusal
            life.habits = replace(life.habits, **given)

    @property
    def env(self) -> dict[str, str]:
        """Give the settings with which a service uses them."""
        rates = {f"REELBUS_{name.upper()}_RATE": "200" for name in KIT}
        apart = [name for name in KIT if PROVIDERS[Provider(name)].submission_rate is not None]
        rates |= {f"REELBUS_{name.upper()}_SUBMISSION_RATE": "200" for name in apart}
        called = [name for name, life in self.lives.items() if life.stand_in.calls_back_at]
        graces = {f"REELBUS_{name.upper()}_WEBHOOK_GRACE": "3" for name in called}
        settings = [environment(life.stand_in) for life in self.lives.values()]
        return {name: value for each in [rates, graces, *settings] for name, value in each.items()}

    def records(self) -> list[dict[str, Any]]:
        """Tell what they accepted, in the form in which the others tell it."""
        return [_record(name, life, job_id) for name, life in self.lives.items() for job_id in life.fates]


@asynccontextmanager
async def kit(*, seconds: float, seed: int) -> AsyncIterator[Kit]:
    """Serve the four on loopback."""
    async with AsyncExitStack() as stack:
        served = [stack.enter_async_context(living(name, seconds=seconds, seed=seed)) for name in KIT]
        found = Kit(dict(zip(KIT, await asyncio.gather(*served), strict=True)))
        found.usual()
        yield found


def _record(provider: str, life: Life, job_id: str) -> dict[str, Any]:
    job, fate = life.stand_in.jobs[job_id], life.fates[job_id]
    said = _WISH.search(json.dumps(job.wish))
    refund = life.stand_in.failures.get(fate)
    return {
        "provider": provider,
        "job_id": job_id,
        "marker": job_id,
        "accepted": True,
        "charged": True,
        "refunded": False,
        "prompt": said and said[0],
        "picture_sha256": None,
        "webhook": job.webhook and job.webhook.partition("?")[0],
        "webhooks": life.answers.get(job_id, []),
        "ends": "failed" if refund else "succeeded",
        "ends_at": life.ended_at.get(job_id, float("inf")),
        "refund": refund and REFUNDS[refund],
    }
