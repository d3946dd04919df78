"""Who else acts on a world: callers who change their minds, liars, and the hosts at which results lie."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from jobs import cancelling
from jobs.cancelling import CannotCancel
from jobs.policy import Policy
from jobs.results import Proven, Unproven
from providers import registry
from providers.capabilities import Cancel, Capabilities, Lookup
from schemas.cancellation import Cancellation
from schemas.names import Provider
from schemas.times import rfc3339
from schemas.video import Media
from store.attempts import AttemptRow
from store.database import StoreUnavailable
from tests.simulation.peers import SIMULATED, Account
from tests.simulation.steps import Step

EVIL = "https://evil.example/stolen.mp4"
LOOKUPS = {
    Provider("iacrea"): (Lookup.WEBHOOK,),
    Provider("homedesigns"): (Lookup.NONE, Lookup.BY_NAME, Lookup.SEARCH),
}


def offers(rng: random.Random) -> dict[Provider, Capabilities]:
    """Have each provider stop jobs, and find lost submissions, in one of the ways that there are."""
    return {
        name: replace(
            registry.PROVIDERS[name],
            cancel=rng.choice(tuple(Cancel)),
            lookup=rng.choice(LOOKUPS.get(name, (Lookup.NONE,))),
        )
        for name in SIMULATED
    }


class Inside(Protocol):
    """What those outside see of a world."""

    now: float
    rng: random.Random
    calm: bool

    @property
    def wall(self) -> float:
        """The time as the processes read it."""

    policy: Policy
    connection: sqlite3.Connection
    accounts: dict[Provider, Account]
    accepted: list[str]
    proven: set[str]
    wishes: dict[str, list[Cancellation | CannotCancel]]

    def note(self, who: str, what: str) -> None:
        """Write a line of the history."""

    def transact(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do a piece of work now, if the store is there."""

    def send_webhook(self, attempt_id: str, body: bytes, delay: float) -> None:
        """Have a webhook come."""


async def prove(world: Inside, attempt: AttemptRow, urls: tuple[str, ...]) -> Proven | Unproven:
    """Ask the address of a result, as a poller's prover does."""
    at = world.now + world.rng.choice((0.05, 2.0))
    return await Step(lambda: _look_at(world, attempt, urls), at, "asking for the result")


def _look_at(world: Inside, attempt: AttemptRow, urls: tuple[str, ...]) -> Proven | Unproven:
    world.proven.add(urls[0])
    job = world.accounts[attempt.provider].job_at(urls[0])
    if job is None or job.is_gone or (not world.calm and world.rng.random() < 0.2):
        return Unproven(urls, "the video's host answered 404")
    return Proven(urls, Media(content_type="video/mp4", bytes=1, checked_at=rfc3339(world.wall)))


def wish_to_stop(world: Inside) -> None:
    """Have a caller wish to stop a video."""
    if not world.accepted:
        return
    video_id = world.rng.choice(world.accepted)
    try:
        answer = world.transact(cancelling.cancel, video_id, actor="tester", now=world.wall)
    except StoreUnavailable:
        return
    world.wishes.setdefault(video_id, []).append(answer)
    world.note("a caller", f"wishes to stop {video_id}: {getattr(answer, 'outcome', answer)}")


def forge(world: Inside) -> None:
    """Have somebody who learnt a webhook's address, and what the API shows of others' jobs, lie to it."""
    shown = world.connection.execute("SELECT id, provider_job_id FROM attempts").fetchall()
    if not shown:
        return
    known = [job_id for _, job_id in shown if job_id is not None]
    stolen = world.rng.choice(known) if known else "0000ffff-0000-4000-8000-000000000000"
    bodies = [f'{{"generation_id": "{stolen}", "status": "SUCCEEDED"}}', '{"status": "FAILED"}', "rubbish"]
    if not world.policy.trust_webhook_body:
        bodies.append(f'{{"status": "SUCCEEDED", "videos": ["{EVIL}"]}}')
    victim: str = world.rng.choice(shown)[0]
    world.note("a liar", f"to {victim}")
    world.send_webhook(victim, world.rng.choice(bodies).encode(), 0.0)
