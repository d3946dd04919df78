"""However slow the disk is, a process with submissions in flight reads its providers' answers on time."""

import asyncio
import time

from providers.base import BeforeFirstByte, Order
from providers.reports import Accepted, SubmissionOutcome
from store.sqlite_store import SqliteStore
from tests.generator.conftest import OpenWorkshop, Taker
from tests.store.one_row import put
from tests.store.test_slow_disk import on_slow_disk

SYNC_SECONDS = 1.0


async def no_picture(url: str) -> bytes:
    raise AssertionError(url)


async def test_answers_are_read_on_time_beside_a_disk_that_takes_a_second_for_a_sync(workshop: OpenWorkshop) -> None:
    late: list[float] = []

    async def soon(order: Order, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        await before_first_byte()
        answered_at = time.monotonic() + 0.05
        await asyncio.sleep(0.05)
        late.append(time.monotonic() - answered_at)
        return Accepted(f"job {order.image_url or len(late)}")

    async with workshop(no_picture, Taker(answer=soon)) as shop:
        assert isinstance(shop.store, SqliteStore)
        disk = on_slow_disk(shop.store, SYNC_SECONDS)
        await shop.store.write(put, "after which it is known how slow the disk is")
        disk.held.clear()
        videos = await asyncio.gather(*(shop.ask() for _ in range(4)))
        for video_id in videos:
            await shop.until(video_id, "generating")

    assert len(late) == len(videos)
    assert max(late) < SYNC_SECONDS / 2
    assert disk.held == []
