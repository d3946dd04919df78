"""Faults at the edges: time that nobody lived through, clocks that jump, others that refuse, hang or are slow."""

import asyncio
import json
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aio_pika import Message
from pamqp.common import FieldTable

from publisher.topology import COMMANDS, SUBMIT_KEY
from tests.chaos.driver import WantedVideo
from tests.chaos.fleet import ROLES
from tests.chaos.kinds import Kind, kind_in
from tests.chaos.world import PROVIDERS, REPLIES, ChaosService
from tests.support.waiting import eventually

EDGES: list[Kind] = []
_kind = partial(kind_in, EDGES)

_COMMANDS = 20
_SLOW_PICTURES = 20
_SETTING_RIGHT = 3.0
"""How long a clock is given after it was set right, before another fault may hide what that did."""


@_kind("down for longer than the time-out", "roles", 45)
async def down(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - the time-out says how long
    await world.fleet.kill(world.fleet.of(*ROLES))
    await asyncio.sleep(world.job_timeout + chance.uniform(2, 6))
    await world.fleet.complete()


def _clock(seconds: float) -> None:
    @_kind(f"clock put {'forward' if seconds > 0 else 'back'} by {abs(seconds):g} s, and set right", "roles", 8)
    async def step(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - long enough to notice
        world.put_clock(seconds)
        await asyncio.sleep(chance.uniform(3, 6))
        world.put_clock(0.0)
        await asyncio.sleep(_SETTING_RIGHT)


for _seconds in (11.0, 3600.0, -11.0, -3600.0):
    _clock(_seconds)


@_kind("provider switched off, and on again", "roles", 44)
async def switched_off(world: ChaosService, chance: random.Random, scale: float) -> None:
    left = chance.choice(PROVIDERS)
    since = time.time()
    await world.fleet.replace("generator", "poller", REELBUS_PROVIDERS=left)
    await asyncio.sleep(40 if scale >= 1 else 6)
    await world.fleet.replace("generator", "poller")
    world.unanswered.append((since, time.time()))


@asynccontextmanager
async def _full_queue(world: ChaosService, name: str, *keys: str) -> AsyncIterator[str]:
    """Have a queue that holds one message and refuses all others, bound to some keys of the events."""
    arguments: FieldTable = {"x-max-length": 1, "x-overflow": "reject-publish"}
    async with world.broker.channel() as channel:
        queue = await channel.declare_queue(name, durable=True, arguments=arguments)
        await channel.default_exchange.publish(Message(b"the only one"), name)
        for key in keys:
            await queue.bind(world.exchange, key)
        yield name
        await queue.delete(if_unused=False, if_empty=False)


@_kind("a subscriber's queue refuses", "broker", 8)
async def subscriber_refuses(world: ChaosService, chance: random.Random, scale: float) -> None:
    key = chance.choice(("video.ready.homedesigns", "video.submitted.iacrea", "video.ready.iacrea"))
    async with _full_queue(world, f"chaos.full.{secrets.token_hex(4)}", key):
        await asyncio.sleep(chance.uniform(4, 8) * max(scale, 0.5))


@_kind("a reply queue refuses", "broker", 5)
async def replies_refused(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - as soon as all are there
    jobs = [world.driver.more(provider="auto") for _ in range(_COMMANDS)]
    async with _full_queue(world, REPLIES + secrets.token_hex(4)) as refusing, world.broker.channel() as channel:
        commands = await channel.get_exchange(COMMANDS)
        for job in jobs:
            reply_to = refusing if chance.random() < 0.5 else None
            body = json.dumps(world.driver.document(job)).encode()
            await commands.publish(
                Message(body, message_id=f"{world.seed}-{job.number}", reply_to=reply_to), SUBMIT_KEY
            )
        await eventually(partial(_accepted, world, jobs), within=60, what="the acceptance of every command")


async def _accepted(world: ChaosService, jobs: list[WantedVideo]) -> bool:
    """Find the videos that commands made; say whether all are there."""
    page = await world.get("/v1/videos", limit="200")
    made = {video["metadata"]["job"]: video["id"] for video in page["items"]}
    for job in jobs:
        if job.video_id is None and str(job.number) in made:
            job.video_id, job.accepted_at = made[str(job.number)], time.time()
    return all(job.video_id for job in jobs)


@_kind("a host of pictures hangs", "pictures", 6)
async def pictures_hang(world: ChaosService, chance: random.Random, scale: float) -> None:
    world.slow_host.clear()
    jobs = [world.driver.more(provider="homedesigns", upload=False, slow=True) for _ in range(_SLOW_PICTURES)]
    asking = asyncio.create_task(world.driver.ask_for(jobs))
    await asyncio.sleep(chance.uniform(3, 6) * scale)
    world.slow_host.set()
    await asking


@_kind("a slow disk", "store", 8)
async def slow_disk(world: ChaosService, chance: random.Random, scale: float) -> None:
    world.fleet.slow_disk(chance.choice((0.03, 0.2)))
    await asyncio.sleep(chance.uniform(4, 8) * scale)
    world.fleet.slow_disk(0.0)
