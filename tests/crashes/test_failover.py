"""A failover of the database that takes longer than a lease harms nobody who lives through it."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from jobs.policy import LEASE_SECONDS
from setup.postgres.pair import Pair, address
from tests.crashes.conftest import SetStage
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(480)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    pair = Pair()
    try:
        pair.start()
        yield pair
    finally:
        pair.remove()


async def _state(pair: Pair, video_id: str) -> str:
    sql = "SELECT state FROM attempts WHERE video_id = %s ORDER BY number DESC LIMIT 1"
    async with await psycopg.AsyncConnection.connect(pair.primary.url()) as connection:
        row = await (await connection.execute(sql, (video_id,))).fetchone()
    return str(row[0]) if row else "none"


async def test_a_submission_in_hand_keeps_its_lease_and_is_made_once(pair: Pair, set_stage: SetStage) -> None:
    url = address(pair.primary.port, pair.standby.port, database="postgres")
    async with set_stage(REELBUS_DATABASE_URL=url) as on:
        slow = f"intent written:{LEASE_SECONDS + 8}"
        await on.start("run", REELBUS_TEST_SLOW=slow)
        await on.start("generator", REELBUS_TEST_SLOW=slow)  # each would call a submission lost whose owner is dead
        await eventually(lambda: "providers" in (on.service.folder / "generator.log").read_text())
        await on.subscribe()
        video_id = await on.ask(1, "homedesigns")

        async def sending() -> bool:
            return await _state(pair, video_id) == "sending"

        await eventually(sending, what="the intent to send")
        await asyncio.to_thread(pair.primary.kill)
        await asyncio.sleep(LEASE_SECONDS + 2)
        await asyncio.to_thread(pair.promote)

        video = await on.ended(video_id, within=120)
        assert video["status"] == "ready"
        assert await on.paid(1) == 1
        assert on.kinds(video_id) == ["video.submitted", "video.ready"]
