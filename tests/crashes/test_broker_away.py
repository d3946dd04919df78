"""Without the broker everything but events goes on; when it is back the backlog follows by itself, in order."""

import asyncio
import time

from tests.crashes.conftest import SetStage
from tests.support.broker import Broker
from tests.support.waiting import eventually

VIDEOS = 30


async def test_jobs_and_webhooks_go_on_without_a_broker_and_the_backlog_follows(
    set_stage: SetStage, broker: Broker
) -> None:
    async with set_stage() as on:
        [command] = await on.start()
        await on.subscribe()
        await on.ended(await on.ask(0, "iacrea"))
        await broker.kill()
        asked_at = time.time()
        ids = await asyncio.gather(
            *(on.ask(number, ("iacrea", "homedesigns")[number % 2]) for number in range(1, VIDEOS))
        )

        async def all_ready() -> bool:
            page = await on.service.http.get("/v1/videos", params={"limit": "100", "status": "ready"})
            return len(page.json()["items"]) == VIDEOS

        await eventually(all_ready, what="the end of every video")
        heard = [record for record in (await on.sandbox.records())["records"] if record["webhooks"]]
        assert all(answer == 200 for record in heard for _, answer in record["webhooks"])

        not_ready = await on.service.http.get("/readyz")
        detail = not_ready.json()["detail"]
        assert not_ready.status_code == 503
        assert "broker" in detail
        assert "the oldest unpublished event has waited" in detail
        status = (await on.service.http.get("/v1/status")).json()
        assert status["outbox"]["unpublished"] == 2 * len(ids)
        assert 0 < status["outbox"]["oldest_seconds"] <= time.time() - asked_at + 1
        assert (await on.service.http.get("/healthz")).status_code == 200

        await broker.start()
        await eventually(lambda: set(ids) <= set(on.subscriber.ended))
        assert {tuple(on.kinds(video_id)) for video_id in ids} == {("video.submitted", "video.ready")}
        assert command.running
        assert (await on.service.http.get("/readyz")).status_code == 200
