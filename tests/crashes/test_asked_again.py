"""What a provider said of a cancellation or a lost submission is asked for again after a death or a power cut."""

import asyncio

import pytest

from sandbox.kit.life import LOST, Habits
from sandbox.kit.serving import environment, living
from tests.crashes.conftest import SetStage
from tests.crashes.scenario import died
from tests.crashes.test_power_cuts import cut_power, powered
from tests.support.gallery import gallery
from tests.support.waiting import eventually

QUICK = {"REELBUS_KLING_WEBHOOK_GRACE": "1", "REELBUS_REPLICATE_WEBHOOK_GRACE": "1"}


with_the_power = pytest.mark.parametrize("power", [False, True], ids=["it dies", "the power fails"])


@pytest.mark.timeout(300)
@with_the_power
@pytest.mark.parametrize("provider", ["replicate", "runway"])
async def test_a_cancellation_that_was_answered_and_not_stored_ends_the_video_as_cancelled_once(
    set_stage: SetStage, provider: str, *, power: bool
) -> None:
    async with living(provider, seconds=600) as life, gallery() as pictures:  # noqa: SIM117 - it names the first
        async with set_stage(**environment(life.stand_in), **QUICK) as on:
            [victim] = await on.start(REELBUS_TEST_CRASH="cancel answered:1", **(powered(on) if power else {}))
            await on.subscribe()
            video_id = await on.ask(1, provider, pictures)
            await on.in_state(video_id, "generating")
            (await on.service.http.post(f"/v1/videos/{video_id}/cancel")).raise_for_status()
            await died(victim)
            if power:
                cut_power(on)
            await on.start()
            video = await on.ended(video_id)
            assert (video["status"], video["error"]["code"]) == ("failed", "cancelled")
            await asyncio.sleep(0.5)
            assert on.terminals(video_id) == 1
            assert len(life.stand_in.jobs) == 1


@pytest.mark.timeout(300)
@with_the_power
async def test_a_lost_submission_that_was_found_and_not_stored_is_found_again_and_sent_once(
    set_stage: SetStage, *, power: bool
) -> None:
    async with living("kling", seconds=1) as life, gallery() as pictures:
        life.habits = Habits({"drop": 1.0}, {LOST: 1.0})
        async with set_stage(**environment(life.stand_in), **QUICK) as on:
            [victim] = await on.start(REELBUS_TEST_CRASH="lookup answered:1", **(powered(on) if power else {}))
            await on.subscribe()
            video_id = await on.ask(1, "kling", pictures)
            await died(victim)
            if power:
                cut_power(on)
            await on.start()
            video = await on.ended(video_id)
            assert (video["status"], video["attempts"][0]["provider_job_id"]) == (
                "ready",
                next(iter(life.stand_in.jobs)),
            )
            await eventually(lambda: on.terminals(video_id) == 1)
            assert len(life.stand_in.jobs) == 1
