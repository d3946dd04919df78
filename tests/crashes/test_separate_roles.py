"""Whichever role dies, wherever it dies, however often: another process takes over and nothing is lost or doubled."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from process.failpoints import EXIT_STATUS
from tests.chaos import checker
from tests.chaos.driver import WantedVideo
from tests.chaos.world import Behaviours, ChaosService, world
from tests.support.broker import Broker
from tests.support.waiting import GIVE_UP_SECONDS

STEADY: Behaviours = {
    "iacrea": {"webhook-names-generation": 4, "webhook-twice": 2, "webhook-never": 1, "fail": 1},
    "homedesigns": {"ok": 4, "fail-runpod": 1},
}
AT_ONCE = 5
"""Videos that are asked for while the victim lives."""

DEATHS = {
    "receiver": ["accepted:3", "webhook recorded:2"],
    "generator": [
        "routed:1", "claimed:3", "intent written:1", "answer read:4", "acceptance recorded:2",
    ],
    "poller": ["check claimed:4", "look answered:1", "settled:4"],
    "publisher": ["relayed:1", "confirmed:2", "marked:1", "command accepted:1"],
}  # fmt: skip


@pytest.mark.timeout(300)
async def test_roles_that_all_die_at_each_of_their_places_in_turn_lose_and_double_nothing(
    tmp_path: Path, broker: Broker
) -> None:
    async with world(tmp_path, broker.node, seed=1, job_timeout=60, behaviours=STEADY) as running:
        await asyncio.gather(*(_die_everywhere(running, role) for role in DEATHS))
        await running.fleet.complete()
        await _know_commanded_jobs(running)
        await checker.drained(running, within=2 * GIVE_UP_SECONDS)
        verdict = await checker.judge(running)
    assert verdict.sound, verdict


async def _die_everywhere(running: ChaosService, role: str) -> None:
    """Let a role die at one place after the other, with work enough to get there, and then live."""
    asking = []
    for place in DEATHS[role]:
        await running.fleet.kill(running.fleet.of(role))
        [victim] = await running.fleet.start(role, REELBUS_TEST_CRASH=place)
        victim.doomed = True
        work = _command(running) if place.startswith("command") else running.driver.ask(AT_ONCE)
        asking.append(asyncio.create_task(work))
        status = await asyncio.wait_for(victim.process.wait(), 2 * GIVE_UP_SECONDS)
        assert status == EXIT_STATUS, f"{role} was to die at {place} and left with status {status}"
    await running.fleet.start(role)
    await asyncio.gather(*asking)


async def _command(running: ChaosService) -> None:
    """Ask for a video as a microservice does: by publishing."""
    job = WantedVideo(len(running.driver.jobs), "iacrea", upload=False, twin=False)
    running.driver.jobs.append(job)
    body = json.dumps(running.driver.document(job)).encode()
    async with running.broker.channel() as channel:
        commands = await channel.get_exchange("video.commands", ensure=False)
        await commands.publish(aio_pika.Message(body, message_id=f"job-{job.number}"), "submit")


async def _know_commanded_jobs(running: ChaosService) -> None:
    """Learn which videos commands made."""
    unknown = {str(job.number): job for job in running.driver.jobs if job.video_id is None}
    while unknown:
        page: Any = await running.get("/v1/videos", limit="200")
        for video in page["items"]:
            if job := unknown.pop(video["metadata"]["job"], None):
                job.video_id = video["id"]
        await asyncio.sleep(0.1)
