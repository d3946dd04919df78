"""Callers who have failed videos made again, and what must hold of a video and its retries."""

from dataclasses import dataclass

from jobs.retry import Asker, retry
from providers.reports import Failed
from schemas.problem import Refusal
from store import attempts
from store.database import StoreUnavailable
from tests.simulation.peers import SIMULATED
from tests.simulation.world import SimulatedWorld


@dataclass(frozen=True)
class Retried:
    """A video that was made because others, of the same family, had failed."""

    video_id: str
    family: tuple[str, ...]
    accepts_risk: bool


def ask_again(world: SimulatedWorld) -> None:
    """Have a caller retry some video, whatever became of it."""
    video_id = world.rng.choice(world.accepted)
    asker = Asker("tester", accepts_risk=world.rng.random() < 0.3)
    try:
        made = world.transact(retry, tuple(SIMULATED), video_id, asker, str, now=world.wall)
    except (StoreUnavailable, Refusal) as error:
        world.note("caller", f"may not retry {video_id}: {error}")
        return
    if made.created:
        family = next((old.family for old in world.retried if video_id in {*old.family, old.video_id}), (video_id,))
        family = tuple(dict.fromkeys([*family, *(old.video_id for old in world.retried if old.family[0] == family[0])]))
        world.retried.append(Retried(made.video.id, family, asker.accepts_risk))
        world.accepted.append(made.video.id)
        world.note("caller", f"retries {video_id} as {made.video.id}")


def paid_silently(world: SimulatedWorld) -> list[Retried]:
    """List the retries, made without taking a risk, of what had cost a credit that did not come back."""
    return [retried for retried in world.retried if not retried.accepts_risk and _was_paid(world, retried)]


def _was_paid(world: SimulatedWorld, retried: Retried) -> bool:
    rows = world.transact(attempts.of_videos, retried.family)
    tried = {row.id for found in rows.values() for row in found}
    jobs = [job for account in world.accounts.values() for job in account.jobs.values() if job.attempt_id in tried]
    return any(not (job.refunded and isinstance(job.outcome, Failed)) for job in jobs)


def together(world: SimulatedWorld) -> list[tuple[str, ...]]:
    """List the families of which more than one member is in work or ready."""
    found = world.connection.execute("SELECT id FROM videos WHERE state <> 'failed'").fetchall()
    living = {video_id for (video_id,) in found}
    families = [(*retried.family, retried.video_id) for retried in world.retried]
    return [family for family in families if len(living & set(family)) > 1]
