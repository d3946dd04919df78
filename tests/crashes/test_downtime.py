"""Time that passes while nobody can look ends nothing: what was made meanwhile is found."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.crashes.conftest import SetStage
from tests.crashes.scenario import CrashScenario
from tests.support.waiting import eventually

VIDEOS = 60
JOB_TIMEOUT = 12.0


@pytest.mark.timeout(360)
async def test_a_service_that_was_down_for_longer_than_the_time_out_finds_all_videos(set_stage: SetStage) -> None:
    async with set_stage(REELBUS_JOB_TIMEOUT=str(JOB_TIMEOUT), REELBUS_IACREA_WEBHOOK_GRACE="3") as on:
        for provider in ("iacrea", "homedesigns"):
            await on.sandbox.plan(provider, "stuck-then-late", seconds=8)
        [command] = await on.start()
        await on.subscribe()
        asking = [on.ask(number, ("iacrea", "homedesigns")[number % 2]) for number in range(VIDEOS)]
        ids = await asyncio.gather(*asking)
        await _all_taken(on, ids)
        await command.kill()
        await asyncio.sleep(JOB_TIMEOUT + 4)

        await on.start()
        ended = await asyncio.gather(*(on.ended(video_id, within=60) for video_id in ids))
        assert Counter(_end(video) for video in ended) == {"ready": VIDEOS}


async def _all_taken(on: CrashScenario, ids: list[str]) -> None:
    async def taken() -> bool:
        videos = [await on.service.video(video_id) for video_id in ids]
        return all(video["status"] in {"generating", "ready"} for video in videos)

    await eventually(taken, within=60, what="the acceptance of all jobs")


def _end(video: Any) -> str:
    return str(video["error"]["code"] if video["error"] else video["status"])
