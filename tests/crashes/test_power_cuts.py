"""The power fails at each place: every process is gone, and of the store there is what was synced.

The broker, the providers and the subscribers are elsewhere and keep theirs. So each video must end as it would have
after the death of the process alone, and nothing that anybody was told may be taken back.
"""

import asyncio
import json
import shutil
from pathlib import Path

import aio_pika
import pytest
from aio_pika.exceptions import AMQPError

from process.failpoints import POINTS
from publisher.topology import COMMANDS, SUBMIT_KEY
from tests.chaos.driver import prompt
from tests.crashes.conftest import SetStage
from tests.crashes.power.sitecustomize import KEPT_IN
from tests.crashes.scenario import CrashScenario, Death, died
from tests.crashes.test_each_place import PLACES
from tests.support.gallery import gallery
from tests.support.service import ROOT
from tests.support.waiting import eventually


@pytest.mark.timeout(300)
@pytest.mark.parametrize("where", PLACES)
async def test_a_video_whose_service_loses_its_power_at_a_place_ends_once_and_is_paid_once(
    where: str, set_stage: SetStage
) -> None:
    async with set_stage("weights") as first:
        weights = {"provider": "iacrea", "weights": {"webhook-names-generation": 1}}
        (await first.sandbox.http.post("/sandbox/behaviours", json=weights)).raise_for_status()
    turn = asyncio.Semaphore(3)
    async with gallery() as pictures:
        cases = enumerate(PLACES[where])
        wrong = await asyncio.gather(*(_case(set_stage, turn, pictures, *each) for each in cases))
    assert [line for line in wrong if line] == []


async def _case(
    set_stage: SetStage, turn: asyncio.Semaphore, pictures: str, number: int, case: tuple[str, str, str, int]
) -> str | None:
    death = Death(*case)
    async with set_stage(f"{death.place}-{death.provider}") as on:
        async with turn:
            video_id = await death.come_back(on, number, pictures, lost=lambda: cut_power(on), **powered(on))
        wrong = await death.wrong(on, number, video_id)
        told = {(delivery.event_id, delivery.digest) for delivery in on.subscriber.deliveries}
        if wrong is None and len(told) != len(on.subscriber.documents):
            return f"{death.place}, {death.provider}: an event was told again with another body"
    return wrong


@pytest.mark.timeout(150)
async def test_a_command_that_was_not_acknowledged_when_the_power_failed_makes_one_video(set_stage: SetStage) -> None:
    async with set_stage() as on, gallery() as pictures:
        [victim] = await on.start(REELBUS_TEST_CRASH="command accepted:1", **powered(on))
        await on.subscribe()
        await eventually(lambda: _command(on, pictures))
        await died(victim)
        cut_power(on)
        await on.start()
        await eventually(lambda: on.subscriber.ended)
        videos = (await on.service.http.get("/v1/videos")).json()["items"]
        [video] = [each for each in videos if each["prompt"] == prompt(1)]
        await on.ended(video["id"])
        assert (on.terminals(video["id"]), await on.paid(1)) == (1, 1)


async def _command(on: CrashScenario, pictures: str) -> bool:
    """Ask for a video as a microservice does; say whether there is somebody to ask already."""
    fields = {"motion": "zoom_in", "provider": "iacrea", "prompt": prompt(1), "image_url": f"{pictures}/1.png"}
    message = aio_pika.Message(json.dumps(fields).encode(), message_id=on.exchange)
    try:
        async with on.broker.channel() as channel:
            commands = await channel.get_exchange(COMMANDS)
            await commands.publish(message, SUBMIT_KEY, mandatory=True)
    except AMQPError:
        return False
    return True


def test_the_power_fails_at_each_place() -> None:
    """What is asked again has a file of its own: `test_asked_again.py`."""
    elsewhere = {"command accepted", "cancel answered", "lookup answered"}
    assert {place for cases in PLACES.values() for place, *_ in cases} == POINTS - elsewhere


def powered(on: CrashScenario) -> dict[str, str]:
    """Give the environment of a service that keeps a copy of what was synced."""
    return {"PYTHONPATH": f"{Path(__file__).parent / 'power'}:{ROOT}", KEPT_IN: str(_copies(on))}


def _copies(on: CrashScenario) -> Path:
    return on.service.folder / "synced"


def cut_power(on: CrashScenario) -> None:
    """Put what was synced in the place of what was written."""
    store = on.service.folder / "reelbus.db"
    for file in (store, *(store.with_name(store.name + end) for end in ("-wal", "-shm"))):
        file.unlink(missing_ok=True)
    kept = _copies(on) / "kept"
    for file in (kept if kept.exists() else _copies(on) / "old").iterdir():
        shutil.copy(file, store.parent)
