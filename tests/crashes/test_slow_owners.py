"""Whoever is slow, suspended or overtaken does no harm: it is fenced off, or what it learns still counts."""

import signal

from jobs.policy import LEASE_SECONDS
from tests.crashes.conftest import SetStage
from tests.crashes.scenario import CrashScenario
from tests.support.waiting import GIVE_UP_SECONDS, eventually


async def _seen(on: CrashScenario, video_id: str, what: str) -> None:
    async def noted() -> bool:
        timeline = (await on.service.http.get(f"/v1/videos/{video_id}/timeline")).json()["items"]
        return any(what in entry["what"] for entry in timeline)

    await eventually(noted, what=f"{what!r} in the timeline")


async def test_a_webhook_that_comes_before_the_acceptance_is_recorded_is_kept_and_acted_on_then(
    set_stage: SetStage,
) -> None:
    async with set_stage(REELBUS_IACREA_WEBHOOK_GRACE="60") as on:
        await on.start(REELBUS_TEST_SLOW="answer read:1.5")
        await on.subscribe()
        await on.sandbox.plan("iacrea", "webhook-before-answer")
        video = await on.ended(await on.ask(1, "iacrea"))
        assert (video["status"], video["detected_by"]) == ("ready", "webhook")
        assert on.kinds(video["id"]) == ["video.submitted", "video.ready"]


async def test_a_generator_that_was_suspended_before_it_sent_finds_itself_fenced_off(set_stage: SetStage) -> None:
    async with set_stage() as on:
        slow, *_ = await on.start("generator", REELBUS_TEST_SLOW="claimed:15")
        await on.start("receiver", "poller", "publisher")
        await on.subscribe()
        video_id = await on.ask(1, "homedesigns")
        await on.in_state(video_id, "claimed")
        slow.process.send_signal(signal.SIGSTOP)
        await on.start("generator")
        video = await on.ended(video_id, within=LEASE_SECONDS + GIVE_UP_SECONDS)
        slow.process.send_signal(signal.SIGCONT)

        async def fenced() -> bool:
            return "submission left to another process" in (on.service.folder / "generator.log").read_text()

        await eventually(fenced, what="the fence")
        assert video["status"] == "ready"
        assert await on.paid(1) == 1
        assert on.terminals(video_id) == 1


async def test_what_a_generator_learns_after_it_was_given_up_still_counts(set_stage: SetStage) -> None:
    async with set_stage(REELBUS_SUBMIT_CONFIRM_WAIT="20") as on:
        slow, *_ = await on.start("generator", REELBUS_TEST_SLOW="intent written:8")
        await on.start("receiver", "poller", "publisher")
        await on.subscribe()
        proven, lost = [await on.ask(number, provider) for number, provider in enumerate(("iacrea", "homedesigns"))]
        for video_id in (proven, lost):
            await on.in_state(video_id, "sending")
        slow.process.send_signal(signal.SIGSTOP)
        await on.start("generator")
        await _seen(on, proven, "outcome unknown")
        await _seen(on, lost, "failed")
        slow.process.send_signal(signal.SIGCONT)
        await on.told(proven, "video.submitted", "video.ready")
        await on.told(lost, "video.failed", "video.late")
        assert on.kinds(proven) == ["video.submitted", "video.ready"]
        assert on.kinds(lost) == ["video.failed", "video.late"]
        assert (await on.service.video(lost))["refund"] == {"status": "unknown", "credits": None}
        assert [await on.paid(number) for number in range(2)] == [1, 1]
