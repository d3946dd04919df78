"""One run: a seeded schedule of faults made to a service at work, and what came of it."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from jobs.lookups import ABSENT_SECONDS
from sandbox.broker.cluster import Cluster
from sandbox.broker.node import Node
from setup.postgres.pair import Pair
from tests.chaos import checker
from tests.chaos.checker import Verdict
from tests.chaos.cluster import CLUSTER_KINDS
from tests.chaos.database import APART, DATABASE_KINDS
from tests.chaos.edges import EDGES
from tests.chaos.faults import KINDS
from tests.chaos.hosts import DATABASE
from tests.chaos.kinds import Kind
from tests.chaos.world import ChaosService, chance, world

_TOGETHER = 0.2
"""How often a fault is made together with the next one."""

_MOST_OPEN = 300

_RECOVERY_SECONDS = 40.0
"""How long a recovery is waited for before the next fault."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a run is. `scale` shortens what faults last."""

    seed: int
    jobs: int
    faults: int
    scale: float
    job_timeout: float
    store: str = "sqlite"
    cluster: int = 0
    """How many nodes the cluster of brokers has; 0 is one broker alone."""
    only: str = ""
    """What the names of the faults contain that are made; all do."""

    @property
    def kinds(self) -> tuple[list[Kind], list[Kind]]:
        """The kinds of faults that there are: first those that a third of all are drawn from, then the others."""
        own = [*(DATABASE_KINDS if self.store != "sqlite" else []), *(CLUSTER_KINDS if self.cluster else [])]
        others = [kind for kind in [*EDGES, *KINDS] if self.store == "sqlite" or kind.hurts != "store"]
        lists = (own, others) if own else (EDGES, KINDS)
        first, then = ([kind for kind in kinds if self.only in kind.name] for kinds in lists)
        return first, then


@dataclass
class Made:
    """One fault that was made."""

    kind: Kind
    began: float
    open: set[int]
    ended: float = 0.0
    recovered: float | None = None
    """Seconds from the fault's end until a video asked for after it became ready."""
    duplicates: int = 0


@dataclass
class Story:
    """All that came of a run."""

    plan: Plan
    made: list[Made] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    jobs: int = 0
    deliveries: int = 0
    seconds: float = 0.0
    resumed: list[float] = field(default_factory=list)
    """Seconds from each promotion of the standby until a video was accepted."""
    silences: dict[str, float] = field(default_factory=dict)
    """For each kind of fault of a cluster, the longest time in which nothing was published, in seconds."""


def schedule(plan: Plan) -> list[list[Kind]]:
    """Draw which faults are made in which order, some of them together: every kind at least once if there is room."""
    dice = chance(plan.seed, "schedule")
    first, then = plan.kinds
    rest = [kind for kind in [*then, *first] if kind.seconds < 30]
    drawn = dice.sample(first, min(len(first), plan.faults // 3))
    drawn += dice.sample(then, min(len(then), plan.faults - len(drawn)))
    weights = [3 if kind.hurts in {"roles", "broker"} or kind in DATABASE_KINDS else 1 for kind in rest]
    drawn += dice.choices(rest, weights, k=plan.faults - len(drawn))
    dice.shuffle(drawn)
    steps: list[list[Kind]] = []
    for kind in drawn:
        if steps and len(steps[-1]) == 1 and steps[-1][0].hurts != kind.hurts and dice.random() < _TOGETHER:
            steps[-1].append(kind)
        else:
            steps.append([kind])
    return steps


async def run(
    plan: Plan, folder: Path, node: Node, say: Say, *, pair: Pair | None = None, cluster: Cluster | None = None
) -> Story:
    """Make every fault of the plan to a service at work, let it come to rest, and judge."""
    story, began = Story(plan), time.monotonic()
    steps = schedule(plan)
    expected = sum(max(kind.seconds for kind in step) * plan.scale + 2.5 for step in steps)
    async with world(folder, node, seed=plan.seed, job_timeout=plan.job_timeout, pair=pair, cluster=cluster) as running:
        if pair:
            await asyncio.to_thread(pair.order, APART, DATABASE)
        enough = asyncio.Event()
        busy = partial(_busy, running)
        asking = asyncio.create_task(running.driver.run(plan.jobs, plan.jobs / expected, enough, busy=busy))
        for number, step in enumerate(steps):
            await asyncio.gather(*(_make(running, kind, plan, story, say) for kind in step))
            await _recovered(running, story.made[-len(step) :])
            await asyncio.sleep(chance(plan.seed, "pause", number).uniform(0, 0.5))
        enough.set()
        await asking
        say(f"{len(running.driver.jobs)} videos asked for; waiting for the last of them")
        await running.fleet.complete()
        await checker.drained(running, within=plan.job_timeout + 45 + ABSENT_SECONDS)
        story.verdict = await checker.judge(running)
        judged = len(running.fleet.strange_ends)
        _share_out(story, running)
    story.verdict.other += running.fleet.strange_ends[judged:]  # those of the end itself
    story.seconds = time.monotonic() - began
    return story


def _busy(running: ChaosService) -> bool:
    """Say whether more is open than a machine that is slow, or what was broken, can soon work off."""
    return len(running.open_jobs) > _MOST_OPEN


async def _make(running: ChaosService, kind: Kind, plan: Plan, story: Story, say: Say) -> None:
    made = Made(kind, time.time(), running.jobs_in_flight)
    story.made.append(made)
    dice = chance(plan.seed, "fault", len(story.made))
    say(f"{len(story.made):3d}/{plan.faults} {kind.name} ({len(made.open)} jobs in flight)")
    await kind.make(running, dice, plan.scale)
    made.ended = time.time()
    if kind.hurts == "providers":
        running.unanswered.append((made.began, made.ended))


async def _recovered(running: ChaosService, made: list[Made]) -> None:
    """Wait until a video that was asked for after the faults has become ready."""
    since = max(each.ended for each in made)
    give_up_at = time.monotonic() + _RECOVERY_SECONDS
    while time.monotonic() < give_up_at:
        later = [job.video_id or "" for job in running.driver.jobs if job.asked_at > since]
        heard = [running.subscriber.ready[video] for video in later if video in running.subscriber.ready]
        if heard:
            for each in made:
                each.recovered = min(heard) - since
            return
        await asyncio.sleep(0.1)


def _published(running: ChaosService) -> list[float]:
    """Say when something was published, in order: a publisher said so, or the subscriber got it.

    The subscriber alone does not tell: connected to a node that is parted from the others, it hears nothing.
    """
    lines = running.fleet.logs()["publisher"].splitlines()
    said = [json.loads(line)["timestamp"] for line in lines if '"event published"' in line]
    heard = [each.at for each in running.subscriber.deliveries]
    return sorted([*heard, *(datetime.fromisoformat(at).timestamp() for at in said)])


def _silence(times: list[float], made: Made) -> float:
    """Give the longest time in which nothing was published while a fault was made, and until the first event after."""
    during = [at for at in times if made.began <= at <= made.ended]
    after = [at for at in times if at > made.ended][:1]
    return max(later - earlier for earlier, later in pairwise([made.began, *during, *(after or [made.ended])]))


def _share_out(story: Story, running: ChaosService) -> None:
    """Say of each fault how many events came twice before the next one, and of each promotion how soon it helped."""
    accepted = sorted(job.accepted_at for job in running.driver.jobs)
    story.resumed = [next(at for at in accepted if at > since) - since for since in running.promoted]
    story.jobs, story.deliveries = len(running.driver.jobs), len(running.subscriber.deliveries)
    asked = {job.number: job.accepted_at for job in running.driver.jobs}
    published = _published(running)
    for made in (each for each in story.made if each.kind in CLUSTER_KINDS):
        story.silences[made.kind.name] = max(story.silences.get(made.kind.name, 0.0), _silence(published, made))
    for place, each in enumerate(story.made):
        until = story.made[place + 1].began if place + 1 < len(story.made) else float("inf")
        each.duplicates = sum(each.began <= twice.at < until for twice in running.subscriber.duplicates)
        each.open |= {number for number, at in asked.items() if each.began <= at < max(until, each.ended)}
