"""What a provider brings late is told once, changes no end, and a webhook that never came is counted."""

import asyncio

import httpx

from tests.crashes.conftest import SetStage


async def test_a_video_that_comes_after_its_time_out_is_told_exactly_once(set_stage: SetStage) -> None:
    async with set_stage(REELBUS_JOB_TIMEOUT="1", REELBUS_IACREA_WEBHOOK_GRACE="0.2") as on:
        await on.start()
        await on.subscribe()
        for provider in ("iacrea", "homedesigns"):
            await on.sandbox.plan(provider, "stuck-then-late", seconds=3)
        ids = [await on.ask(number, provider) for number, provider in enumerate(("iacrea", "homedesigns"))]
        for video_id in ids:
            failed = await on.ended(video_id)
            assert failed["error"]["code"] == "timed_out"
            assert failed["refund"] == {"status": "unknown", "credits": None}
        for video_id in ids:
            await on.told(video_id, "video.failed", "video.late")
        await _call_again(on.service.http, [record["webhook"] for record in (await on.sandbox.records())["records"]])
        await asyncio.sleep(1)
        for number, video_id in enumerate(ids):
            assert on.kinds(video_id) == ["video.submitted", "video.failed", "video.late"]
            video = await on.service.video(video_id)
            assert (video["status"], video["output_urls"]) == ("failed", [])
            assert video["attempts"][0]["output_urls"]
            assert await on.paid(number) == 1
        assert on.subscriber.duplicates == []


async def test_a_webhook_that_never_came_is_counted_when_the_poll_finds_the_end(set_stage: SetStage) -> None:
    async with set_stage(REELBUS_IACREA_WEBHOOK_GRACE="3") as on:
        await on.start()
        await on.subscribe()
        await on.sandbox.plan("iacrea", ["webhook-never", "ok"])
        missed = await on.ended(await on.ask(0, "iacrea"))
        heard = await on.ended(await on.ask(1, "iacrea"))
        assert (missed["detected_by"], heard["detected_by"]) == ("poll", "webhook")
        metrics = (await on.service.http.get("/metrics")).text
        assert 'reelbus_webhook_missed_total{provider="iacrea"} 1.0' in metrics


async def _call_again(http: httpx.AsyncClient, addresses: list[str | None]) -> None:
    for address in filter(None, addresses):
        for _ in range(3):
            assert (await http.post(address, json={"status": "SUCCEEDED", "urls": []})).status_code == 200
