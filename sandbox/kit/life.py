"""The lives of a stand-in's jobs: they wait, run and end by themselves, and call back as its pages say."""

import asyncio
import random
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field

from sandbox.kit.standin import ACCEPTING, OK, Job, KitStandIn
from sandbox.loopback import Loopback, Unreachable

LOST, TWICE = "lost", "twice"
"""What may become of a webhook besides a flaw in its signature."""

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Habits:
    """What a provider does, drawn by weights: stories of submissions, and flaws of webhooks."""

    stories: Weights = field(default_factory=lambda: {OK: 1.0})
    webhooks: Weights = field(default_factory=lambda: {"": 1.0})
    outage: str | None = None
    """The fault that every request meets, if any."""


@dataclass(slots=True)
class Life:
    """Moves the jobs of one stand-in on; `seconds` is how long a video takes."""

    stand_in: KitStandIn
    seconds: float
    seed: int = 1
    habits: Habits = field(default_factory=Habits)
    loopback: Loopback = field(default_factory=Loopback)
    fates: dict[str, str] = field(default_factory=dict)
    """How each job ends, or ended, by its id."""
    ended_at: dict[str, float] = field(default_factory=dict)
    """When it ended, in Unix seconds."""
    answers: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    """When each job's webhooks were answered, in Unix seconds, and with which status."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Have the stand-in draw its stories from here, and tell of each job that begins."""
        self._chance = random.Random(self.seed)  # noqa: S311  (repeatable on purpose)
        self.stand_in.life = self

    def story(self) -> str:
        """Draw what becomes of the next submission."""
        return self._drawn(self.habits.stories)

    def begin(self, job: Job) -> None:
        """Have an accepted job wait, then run, then end as its story says."""
        self.fates[job.id] = job.story if job.story in {*ACCEPTING, *self.stand_in.failures} else OK
        job.story = "queued"
        self._soon(self._live(job))

    async def close(self) -> None:
        """Drop what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, job: Job) -> None:
        seconds = self.seconds * self._chance.uniform(0.8, 1.2)
        for story, share in (("running", 0.3), (self.fates[job.id], 0.7)):
            before = job.story
            if "start" in self.stand_in.calls_back_at:
                self._call(job)
            await asyncio.sleep(seconds * share)
            if job.story != before:
                break  # cancelled meanwhile, and so ended
            job.story = story
        self.ended_at[job.id] = time.time()
        self._call(job)

    def _call(self, job: Job) -> None:
        """Call back about a job as it is now, with whatever flaw is drawn."""
        if not job.webhook:
            return
        drawn = self._drawn(self.habits.webhooks)
        headers, body = self.stand_in.delivery(job.id, "" if drawn in {LOST, TWICE} else drawn)
        for _ in range({LOST: 0, TWICE: 2}.get(drawn, 1)):
            self._soon(self._deliver(job.id, job.webhook, headers, body))

    async def _deliver(self, job_id: str, address: str, headers: Mapping[str, str], body: bytes) -> None:
        try:
            status = await self.loopback.post(address, body, "application/json", timeout=5.0, headers=headers)
        except Unreachable:
            return  # as their pages say, it may come again; here it is lost, which is worse
        self.answers.setdefault(job_id, []).append((time.time(), status))

    def _drawn(self, weights: Weights) -> str:
        [name] = self._chance.choices(list(weights), list(weights.values()))
        return name

    def _soon(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
