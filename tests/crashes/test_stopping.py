"""A role that is told to stop finishes what it has in hand, leaves within 15 seconds, and loses nothing."""

import asyncio
import signal
import time

import pytest

from tests.crashes.conftest import SetStage

PROVIDERS = ("iacrea", "homedesigns")
LOAD = 24


@pytest.mark.timeout(240)
async def test_every_role_told_to_stop_under_load_leaves_politely_and_nothing_is_lost_or_unknown(
    set_stage: SetStage,
) -> None:
    roles = ("receiver", "generator", "poller", "publisher")
    async with set_stage() as on:
        commands = dict(zip(roles, await on.start(*roles), strict=True))
        await on.subscribe()
        asking = []
        for turn, role in enumerate(roles):
            numbers = range(turn * LOAD, (turn + 1) * LOAD)
            asking += [asyncio.create_task(on.ask(number, PROVIDERS[number % 2])) for number in numbers]
            await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            began = time.monotonic()
            assert await commands[role].stop(signal.SIGTERM) == 0, on.service.logs()[-3000:]
            assert time.monotonic() - began < 15
            await on.start(role)
        videos = [await on.ended(video_id) for video_id in await asyncio.gather(*asking)]
        assert {video["status"] for video in videos} == {"ready"}
        assert {on.terminals(video["id"]) for video in videos} == {1}
        assert {await on.paid(number) for number in range(0, len(asking), 7)} == {1}


@pytest.mark.timeout(240)
async def test_a_service_in_one_process_told_to_stop_again_and_again_under_load_loses_nothing(
    set_stage: SetStage,
) -> None:
    async with set_stage() as on:
        [command] = await on.start()
        await on.subscribe()
        asking = []
        for turn in range(3):
            numbers = range(turn * LOAD, (turn + 1) * LOAD)
            asking += [asyncio.create_task(on.ask(number, PROVIDERS[number % 2])) for number in numbers]
            await asyncio.wait(asking[-LOAD:], return_when=asyncio.FIRST_COMPLETED)
            began = time.monotonic()
            assert await command.stop(signal.SIGTERM) == 0, on.service.logs()[-3000:]
            assert time.monotonic() - began < 15
            [command] = await on.start()
        videos = [await on.ended(video_id) for video_id in await asyncio.gather(*asking)]
        assert {video["status"] for video in videos} == {"ready"}
        assert {on.terminals(video["id"]) for video in videos} == {1}


@pytest.mark.timeout(240)
async def test_a_submission_that_is_never_answered_is_recorded_as_unknown_before_the_process_leaves(
    set_stage: SetStage,
) -> None:
    async with set_stage(REELBUS_PROVIDER_TIMEOUT="60") as on:
        generator, *_ = await on.start("generator", "receiver", "poller", "publisher")
        await on.subscribe()
        for provider in PROVIDERS:
            await on.sandbox.plan(provider, "hang")
        ids = [await on.ask(number, provider) for number, provider in enumerate(PROVIDERS)]
        while (await on.sandbox.records())["total"] < len(PROVIDERS):
            await asyncio.sleep(0.05)
        began = time.monotonic()
        assert await generator.stop(signal.SIGTERM) == 0
        assert 11 < time.monotonic() - began < 15
        for video_id in ids:
            video = await on.ended(video_id)
            assert video["error"]["code"] == "submission_unknown"
            assert video["refund"] == {"status": "unknown", "credits": None}
