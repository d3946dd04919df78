"""What an earlier configuration or another release left in the store keeps nothing else from its end."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.crashes.conftest import SetStage
from tests.crashes.scenario import CrashScenario
from tests.support.service import Command
from tests.support.waiting import eventually


@pytest.mark.timeout(480)
async def test_videos_that_wait_for_a_provider_that_is_switched_off_end_or_fall_back(set_stage: SetStage) -> None:
    async with set_stage(REELBUS_SUBMIT_ATTEMPTS="100") as on:
        await on.sandbox.plan("homedesigns", "http-503", count=100)
        [first] = await on.start(REELBUS_PROVIDERS="homedesigns,iacrea")
        await on.subscribe()
        bound = await on.ask(1, "homedesigns")
        free = await on.ask(2, "auto")
        for video_id in (bound, free):
            await _refused_once(on, video_id)
        assert await first.stop() == 0

        await on.start(REELBUS_PROVIDERS="iacrea")
        found = await _doctor(on, REELBUS_PROVIDERS="iacrea")
        assert "2 of its attempts are open" in found
        ended = await on.ended(bound, within=120)
        assert (ended["error"]["code"], ended["refund"]["status"]) == ("provider_unavailable", "not_charged")
        moved = await on.ended(free, within=120)
        assert moved["attempts"][0]["error"]["code"] == "provider_unavailable"
        assert moved["provider"] == "iacrea"
        assert (on.terminals(bound), on.terminals(free)) == (1, 1)
        assert "attempts are open" not in await _doctor(on, REELBUS_PROVIDERS="iacrea")


@pytest.mark.timeout(360)
@pytest.mark.parametrize("spoilt", ["accepted", "generating"])
async def test_a_row_that_cannot_be_read_stops_no_process_and_no_other_video(set_stage: SetStage, spoilt: str) -> None:
    async with set_stage() as on:
        [receiver, generator] = await on.start("receiver", "generator")
        before = [receiver, generator]
        if spoilt == "accepted":
            # A request is taken as soon as the generator has announced its providers; from then on it is not needed.
            await on.ask(5, "homedesigns")
            assert await generator.stop() == 0
            before = [receiver]
        ids = [await on.ask(number, "homedesigns") for number in range(5)]
        for video_id in ids:
            await _in_status(on, video_id, spoilt)
        for each in before:
            assert await each.stop() == 0
        _write(on, "UPDATE videos SET motion = 'orbit' WHERE id = ?", ids[2])

        [process] = await on.start()
        await on.subscribe()
        for video_id in [*ids[:2], *ids[3:]]:
            await _in_status(on, video_id, "ready")

        async def told() -> bool:
            return "put aside as unreadable" in await _doctor(on)

        await eventually(told, what="the doctor's line about the row")
        assert process.running


async def _refused_once(on: CrashScenario, video_id: str) -> None:
    async def refused() -> bool:
        timeline = (await on.service.http.get(f"/v1/videos/{video_id}/timeline")).json()["items"]
        return any(entry["what"] == "not accepted" for entry in timeline)

    await eventually(refused, what="a try that was not accepted")


async def _in_status(on: CrashScenario, video_id: str, status: str) -> None:
    async def reached() -> Any:
        return (await on.service.video(video_id))["status"] == status

    await eventually(reached, what=f"the status {status}")


def _write(on: CrashScenario, sql: str, video_id: str) -> None:
    with closing(sqlite3.connect(on.service.folder / "reelbus.db", timeout=30)) as store, store:
        store.execute(sql, (video_id,))


async def _doctor(on: CrashScenario, **env: str) -> str:
    log = on.service.folder / "doctor.log"
    log.unlink(missing_ok=True)
    command = await Command.start("doctor", env={**on.service.env, **env}, log=log)
    _, output, _ = await command.finish(within=60)
    return output
