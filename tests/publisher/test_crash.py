"""A relay that dies between any two of its steps loses nothing, and what it repeats is the same event."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from process.failpoints import EXIT_STATUS
from process.settings import Settings
from schemas.names import EventType
from store.database import Store
from tests.publisher.announcing import announce, announce_many, unpublished
from tests.publisher.conftest import OpenRoom
from tests.support.broker import Broker, subscribe
from tests.support.waiting import GIVE_UP_SECONDS, eventually

ROOT = Path(__file__).parents[2]

PROCESS = """
import asyncio
from dataclasses import replace
from process.settings import Settings
from process.asyncio_events import on_signal
from publisher.broker_state import BrokerState
from publisher.timing import TIMING
from publisher.run import run
from store.database import Store

async def main():
    settings = Settings.read(file=None)
    store = await Store.open(settings.database_url)
    timing = replace(TIMING, window=20, lease=1.0, renew=0.2)
    await run(settings, store, BrokerState(), None, on_signal(), timing=timing)
    await store.close()

asyncio.run(main())
"""


async def _relay_process(settings: Settings, database: Path, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROCESS,
        cwd=ROOT,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(ROOT),
            "REELBUS_DATABASE_URL": f"sqlite:///{database}",
            "REELBUS_AMQP_URL": settings.amqp_url.get_secret_value(),
            "REELBUS_EXCHANGE": settings.exchange,
            **environment,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )


@pytest.mark.parametrize("point", ["relayed:3", "confirmed:3", "marked:3"])
async def test_dying_at_a_point_loses_nothing(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom, tmp_path: Path, point: str
) -> None:
    await (await open_room(settings)).stopped()  # which leaves the topology behind
    inbox = await subscribe(broker, settings.exchange)
    ids = await announce_many(store, 200)

    dying = await _relay_process(settings, tmp_path / "reelbus.db", REELBUS_TEST_CRASH=point)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        assert await dying.wait() == EXIT_STATUS
    await open_room(settings)

    await inbox.until(lambda box: set(box.ids) >= set(ids))

    async def empty() -> bool:
        return await unpublished(store) == 0

    await eventually(empty)
    assert set(inbox.ids) == set(ids)
    bodies: dict[str | None, set[bytes]] = {}
    for message in inbox.messages:
        bodies.setdefault(message.message_id, set()).add(message.body)
    assert {len(versions) for versions in bodies.values()} == {1}


async def test_a_process_that_was_suspended_finds_its_turn_gone_and_breaks_no_order(
    broker: Broker, store: Store, settings: Settings, tmp_path: Path, open_room: OpenRoom
) -> None:
    await (await open_room(settings)).stopped()
    inbox, progress = await subscribe(broker, settings.exchange), await subscribe(broker, settings.exchange)
    videos = [str(uuid4()) for _ in range(300)]
    order = [EventType.SUBMITTED, EventType.FALLBACK, EventType.READY]
    process = await _relay_process(settings, tmp_path / "reelbus.db")
    for video_id in videos:
        await announce(store, order[0], video_id=video_id)
    await progress.take(40)

    process.send_signal(signal.SIGSTOP)
    room = await open_room(settings)
    for event_type in order[1:]:
        for video_id in videos:
            await announce(store, event_type, video_id=video_id)
    await progress.take(600)
    process.send_signal(signal.SIGCONT)
    await inbox.until(lambda box: len(set(box.ids)) == 900)
    process.terminate()
    assert await process.wait() == 0
    await room.stopped()

    for video_id in videos:
        types = [message.type for message in inbox.messages if message.correlation_id == video_id]
        assert list(dict.fromkeys(types)) == [str(event_type) for event_type in order]


async def test_a_process_that_is_told_to_stop_leaves_at_once_and_marks_what_it_sent(
    broker: Broker, store: Store, settings: Settings, tmp_path: Path, open_room: OpenRoom
) -> None:
    await (await open_room(settings)).stopped()
    inbox = await subscribe(broker, settings.exchange)
    process = await _relay_process(settings, tmp_path / "reelbus.db")
    ids = await announce_many(store, 2000)
    await inbox.take(100)
    process.terminate()
    async with asyncio.timeout(5):
        assert await process.wait() == 0

    await open_room(settings)
    await inbox.until(lambda box: set(box.ids) >= set(ids))
    assert len(inbox.ids) == len(ids)
