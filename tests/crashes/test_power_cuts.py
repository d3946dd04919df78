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
from tests.crashes.scenario import CrashScenario, Death
from tests.crashes.test_each_place import PLACES
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
        wrong = await asyncio.gather(*(_case(set_stage, turn, pictures, *each) for each in cases))
    assert [line for line in wrong if line] == []


async def _case(
    set_stage: SetStage, turn: asyncio.Semaphore, pictures: str, number: int, case: tuple[str, str, str, int]
) -> str | None:
    death = Death(*case)
    async with set_stage(f"{death.place}-{death.provider}") as on:
        copies = on.service.folder / "synced"
        env = {"PYTHONPATH": f"{Path(__file__).parent / 'power'}:{ROOT}", KEPT_IN: str(copies)}
        async with turn:
            video_id = await death.come_back(on, number, pictures, lost=lambda: cut_power(on, copies), **env)
        wrong = await death.wrong(on, number, video_id)
        told = {(delivery.event_id, delivery.digest) for delivery in on.subscriber.deliveries}
        if wrong is None and len(told) != len(on.subscriber.documents):
            return f"{death.place}, {death.provider}: an event was told again with another body"
    return wrong


def cut_power(on: CrashScenario, copies: Path) -> None:
    """Put what was synced in the place of what was written."""
    store = on.service.folder / "reelbus.db"
    for file in (store, *(store.with_name(store.name + end) for end in ("-wal", "-shm"))):
        file.unlink(missing_ok=True)
    kept = copies / "kept"
    for file in (kept if kept.exists() else copies / "old").iterdir():
        shutil.copy(file, store.parent)
