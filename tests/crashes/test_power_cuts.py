"""The power fails at each place: every process is gone, and of the store there is what was synced.

The broker, the providers and the subscribers are elsewhere and keep theirs. So each video must end as it would have
after the death of the process alone, and nothing that anybody was told may be taken back.
"""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.crashes.conftest import SetStage
from tests.crashes.power.sitecustomize import KEPT_IN
from tests.crashes.scenario import CrashScenario, died
from tests.crashes.test_each_place import PLACES, adds_up
from tests.support.gallery import gallery
from tests.support.service import ROOT


@pytest.mark.timeout(150)
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
        wrong = await asyncio.gather(*(_case(set_stage, where, turn, pictures, *each) for each in cases))
    assert [line for line in wrong if line] == []


async def _case(
    set_stage: SetStage,
    where: str,
    turn: asyncio.Semaphore,
    pictures: str,
    number: int,
    case: tuple[str, str, str, int],
) -> str | None:
    place, provider, end, paid = case
    async with set_stage(f"{place}-{provider}") as on:
        copies = on.service.folder / "synced"
        path = f"{Path(__file__).parent / 'power'}:{ROOT}"
        async with turn:
            [victim] = await on.start(**{"REELBUS_TEST_CRASH": f"{place}:1", "PYTHONPATH": path, KEPT_IN: str(copies)})
            await on.subscribe()
            if where == "generator":  # a webhook is sent once, and here it must come when the service is up again
                await on.hold_webhooks(held=True)
            asking = asyncio.create_task(on.ask(number, provider, None if place == "picture stored" else pictures))
            await died(victim)
            cut_power(on, copies)
            await on.start()
            await on.hold_webhooks(held=False)
        video = await on.ended(await asking)
        await asyncio.sleep(0.5)
        found = (video["error"] or {"code": video["status"]})["code"], await on.paid(number), on.terminals(video["id"])
        if found != (end, paid, 1) or not await adds_up(on, provider, video["attempts"]):
            return f"{place}, {provider}: expected {(end, paid, 1)}, got {found}: {video['attempts']}"
        told = {(delivery.event_id, delivery.digest) for delivery in on.subscriber.deliveries}
        if len(told) != len(on.subscriber.documents):
            return f"{place}, {provider}: an event was told again with another body"
    return None


def cut_power(on: CrashScenario, copies: Path) -> None:
    """Put what was synced in the place of what was written."""
    store = on.service.folder / "reelbus.db"
    for file in (store, *(store.with_name(store.name + end) for end in ("-wal", "-shm"))):
        file.unlink(missing_ok=True)
    kept = copies / "kept"
    for file in (kept if kept.exists() else copies / "old").iterdir():
        shutil.copy(file, store.parent)
