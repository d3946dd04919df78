"""However a provider behaves, a video ends once, truthfully, with its refund noted."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.journey.conftest import Journey, StartJourney
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUNDED = {"status": "refunded", "credits": 1}
NOT_CHARGED = {"status": "not_charged", "credits": 0}
UNKNOWN = {"status": "unknown", "credits": None}


async def ends(world: Journey, picture: bytes, provider: str, behaviours: list[str], **fields: Any) -> list[Any]:
    """Submit one video for each behaviour, one after the other, and give how each ended."""
    accepted = []
    for behaviour in behaviours:
        before = await _records(world)
        await world.sandbox.plan(provider, behaviour)
        accepted.append(await world.service.upload(picture, provider=provider, **fields))
        await eventually(partial(_more_records, world, before), what="its submission")
    return [await world.ended(video["id"]) for video in accepted]


async def _records(world: Journey) -> int:
    return len((await world.sandbox.records())["records"])


async def _more_records(world: Journey, before: int) -> bool:
    return await _records(world) > before


IACREA_READY = [
    "ok", "lower-case", "processing-noise", "webhook-before-answer", "webhook-before-ready", "webhook-twice",
    "webhook-x5", "webhook-empty", "webhook-form", "webhook-huge", "webhook-names-generation", "succeeded-empty-once",
    "url-singular", "hostile-urls-mixed",
]  # fmt: skip
HOMEDESIGNS_READY = [
    "ok", "list", "list-field", "success-tagged", "wrapped", "synchronous", "id-26", "id-example", "queue-id",
    "unknown-word", "bad-id-early",
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "behaviours"), [("iacrea", IACREA_READY), ("homedesigns", HOMEDESIGNS_READY)], ids=["iacrea", "hd"]
)
async def test_every_form_of_success_is_found(
    world: Journey, picture: bytes, provider: str, behaviours: list[str]
) -> None:
    for behaviour, video in zip(behaviours, await ends(world, picture, provider, behaviours), strict=True):
        assert video["status"] == "ready", (behaviour, video)
        assert (video["error"], video["refund"]) == (None, None)
        assert all(url.startswith("http") for url in video["output_urls"])


async def test_a_video_whose_webhook_never_comes_is_found_by_polling(start: StartJourney, picture: bytes) -> None:
    world = await start(REELBUS_IACREA_WEBHOOK_GRACE="0.2")
    [video] = await ends(world, picture, "iacrea", ["webhook-never"])
    assert (video["status"], video["detected_by"]) == ("ready", "poll")


@pytest.mark.parametrize(
    ("provider", "behaviour", "code", "refund"),
    [
        ("iacrea", "fail", "generation_failed", REFUNDED),
        ("iacrea", "fail-lower-case", "generation_failed", REFUNDED),
        ("iacrea", "hostile-urls", "result_invalid", UNKNOWN),
        ("iacrea", "http-402", "out_of_credits", NOT_CHARGED),
        ("iacrea", "http-401", "authentication_failed", NOT_CHARGED),
        ("iacrea", "http-400-image", "image_rejected", NOT_CHARGED),
        ("iacrea", "http-400", "request_rejected", NOT_CHARGED),
        ("homedesigns", "fail-runpod", "generation_failed", UNKNOWN),
        ("homedesigns", "fail-replicate", "generation_failed", UNKNOWN),
        ("homedesigns", "cancelled", "generation_failed", UNKNOWN),
        ("homedesigns", "aborted", "generation_failed", UNKNOWN),
        ("homedesigns", "timed-out", "generation_failed", UNKNOWN),
        ("homedesigns", "fail-error", "generation_failed", UNKNOWN),
        ("homedesigns", "charge-and-drop", "submission_unknown", UNKNOWN),
        ("homedesigns", "http-500", "submission_unknown", UNKNOWN),
        ("homedesigns", "success-false-200", "request_rejected", NOT_CHARGED),
    ],
)
async def test_each_failure_has_its_code_and_its_refund(
    world: Journey, picture: bytes, provider: str, behaviour: str, code: str, refund: Any
) -> None:
    [video] = await ends(world, picture, provider, [behaviour])
    assert (video["status"], video["error"]["code"], video["refund"]) == ("failed", code, refund)
    assert video["output_urls"] == []
    assert video == await world.service.video(video["id"])


async def test_a_submission_of_unknown_outcome_is_healed_by_a_webhook_that_names_the_job(
    world: Journey, picture: bytes
) -> None:
    [video] = await ends(world, picture, "iacrea", ["charge-and-drop-named"])
    events = await world.events(video["id"], "video.submitted", "video.ready")
    assert [event["type"] for event in events] == ["video.submitted", "video.ready"]
    assert video["provider_job_id"]


async def test_a_submission_of_unknown_outcome_without_a_webhook_fails_after_the_wait(
    start: StartJourney, picture: bytes
) -> None:
    world = await start(REELBUS_SUBMIT_CONFIRM_WAIT="0.5")
    [video] = await ends(world, picture, "iacrea", ["charge-and-drop-silent"])
    assert (video["error"]["code"], video["refund"]) == ("submission_unknown", UNKNOWN)


async def test_a_webhook_that_names_no_job_ends_nothing_before_the_wait_does(
    start: StartJourney, picture: bytes
) -> None:
    world = await start(REELBUS_SUBMIT_CONFIRM_WAIT="3")
    [video] = await ends(world, picture, "iacrea", ["charge-and-drop-anonymous"])
    assert (video["status"], video["error"]["code"]) == ("failed", "submission_unknown")
    assert video["refund"] == UNKNOWN
    timeline = (await world.service.http.get(f"/v1/videos/{video['id']}/timeline")).json()["items"]
    [lost] = [entry["at"] for entry in timeline if entry["what"] == "outcome unknown"]
    [failed] = [entry["at"] for entry in timeline if entry["what"] == "failed"]
    assert "webhook received" in [entry["what"] for entry in timeline]
    assert datetime.fromisoformat(failed) - datetime.fromisoformat(lost) >= timedelta(seconds=3)


async def test_a_webhooks_word_is_taken_only_where_the_operator_says_so(start: StartJourney, picture: bytes) -> None:
    world = await start(REELBUS_TRUST_WEBHOOK_BODY="true")
    [video] = await ends(world, picture, "iacrea", ["charge-and-drop-anonymous"])
    assert (video["status"], video["detected_by"]) == ("ready", "webhook")


async def test_a_provider_that_is_briefly_away_is_tried_again(world: Journey, picture: bytes) -> None:
    await world.sandbox.plan("homedesigns", ["http-503", "ok"])
    video = await world.service.upload(picture, provider="homedesigns")
    assert (await world.ended(video["id"]))["status"] == "ready"


async def test_a_provider_that_stays_away_fails_the_video_uncharged(start: StartJourney, picture: bytes) -> None:
    world = await start(REELBUS_SUBMIT_ATTEMPTS="2")
    await world.sandbox.plan("homedesigns", "http-503", count=2)
    video = await world.service.upload(picture, provider="homedesigns")
    ended = await world.ended(video["id"])
    assert (ended["error"]["code"], ended["refund"]) == ("provider_unavailable", NOT_CHARGED)


async def test_a_failed_attempt_falls_back_and_says_so(world: Journey, picture: bytes) -> None:
    await world.sandbox.plan("iacrea", "fail")
    video = await world.service.upload(picture, metadata={"k": "v"})
    events = await world.events(video["id"], "video.fallback", "video.ready")
    assert [event["type"] for event in events] == [
        "video.submitted",
        "video.fallback",
        "video.submitted",
        "video.ready",
    ]
    fallback, ready = events[1]["data"], events[3]["data"]
    assert (fallback["provider"], fallback["attempts"][0]["refund"]) == ("iacrea", REFUNDED)
    assert (ready["provider"], ready["refund"], len(ready["attempts"])) == ("homedesigns", REFUNDED, 2)


async def test_a_job_that_takes_too_long_is_given_up_and_its_late_video_is_told(
    start: StartJourney, picture: bytes
) -> None:
    world = await start(REELBUS_JOB_TIMEOUT="1", REELBUS_FALLBACK_WHEN_UNSURE="false")
    await world.sandbox.plan("homedesigns", "stuck-then-late", seconds=10)
    video = await world.service.upload(picture, provider="homedesigns")
    events = await world.events(video["id"], "video.failed", "video.late")
    failed, late = events[-2]["data"], events[-1]["data"]
    assert (failed["error"]["code"], failed["refund"], failed["detected_by"]) == ("timed_out", UNKNOWN, None)
    assert (late["status"], late["refund"], late["output_urls"]) == ("failed", UNKNOWN, [])
    assert late["attempts"][0]["status"] == "failed"
    assert late["attempts"][0]["output_urls"]


async def test_credits_add_up(start: StartJourney, picture: bytes) -> None:
    world = await start()
    await ends(world, picture, "iacrea", ["ok", "fail", "ok"])
    credits = (await world.service.http.get("/v1/credits")).json()
    assert credits["iacrea"]["spent"] == 3
    assert credits["iacrea"]["refunded"] == 1
    assert credits["iacrea"]["unexplained"] == 0
    assert credits["iacrea"]["remaining"] in {100_000 - 3, 100_000 - 2}
    assert credits["homedesigns"]["remaining"] is None


async def test_a_webhook_that_comes_after_the_wait_still_brings_the_video_to_light(
    start: StartJourney, picture: bytes
) -> None:
    world = await start(REELBUS_SUBMIT_CONFIRM_WAIT="0.2")
    await world.sandbox.hold_webhooks(world.service.url, held=True)
    await world.sandbox.plan("iacrea", "charge-and-drop-named")
    video = await world.service.upload(picture, provider="iacrea")
    await world.events(video["id"], "video.failed")
    await world.sandbox.hold_webhooks(world.service.url, held=False)
    events = await world.events(video["id"], "video.failed", "video.late")
    failed, late = events[0]["data"], events[-1]["data"]
    assert (failed["error"]["code"], failed["refund"]) == ("submission_unknown", UNKNOWN)
    assert late["attempts"][0]["output_urls"]
    assert (late["status"], late["output_urls"], late["refund"]) == ("failed", [], UNKNOWN)


async def test_a_provider_that_refuses_our_key_is_shown_as_such(start: StartJourney, picture: bytes) -> None:
    world = await start()
    await ends(world, picture, "homedesigns", ["http-401"])
    metrics = (await world.service.http.get("/metrics")).text
    assert 'reelbus_provider_authorized{provider="homedesigns"} 0.0' in metrics
    assert 'reelbus_provider_authorized{provider="iacrea"} 1.0' in metrics
    await ends(world, picture, "homedesigns", ["ok"])
    assert 'homedesigns"} 1.0' in (await world.service.http.get("/metrics")).text.split("provider_authorized", 1)[1]
