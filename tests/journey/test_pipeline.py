"""A picture becomes a video, and whoever subscribed to the broker hears of it: every way in, every provider."""

import base64
import json
from typing import Any

import pytest
from aio_pika import Message

from providers.registry import PROVIDERS
from sandbox.settings import PROVIDERS as STOOD_IN_FOR
from schemas.names import Provider
from tests.journey.conftest import Journey, StartJourney, decoded
from tests.support.service import Command

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVED = [Provider(name) for name in STOOD_IN_FOR]
"""The providers that the service has credentials for; `tests/providers/conformance` examines the others."""


@pytest.mark.parametrize("provider", SERVED)
async def test_every_motion_reaches_its_provider_by_its_own_name(
    world: Journey, picture: bytes, provider: Provider
) -> None:
    accepted = [
        await world.service.upload(picture, motion=motion, provider=provider) for motion in PROVIDERS[provider].motions
    ]
    for video, offer in zip(accepted, PROVIDERS[provider].motions.values(), strict=True):
        ended = await world.ended(video["id"])
        assert ended["status"] == "ready", ended
        assert (await world.submission(ended))["option"] == offer.wire


async def test_orientation_prompt_and_metadata_travel_all_the_way(world: Journey, picture: bytes) -> None:
    wishes: dict[str, Any] = {"orientation": "portrait", "prompt": "sunrise", "metadata": {"listing": "42", "é": "ü"}}
    video = await world.service.upload(picture, provider="iacrea", **wishes)
    ended = await world.ended(video["id"])
    seen = await world.submission(ended)
    assert (seen["format"], seen["prompt"]) == ("portrait", "sunrise")
    assert ended["metadata"] == wishes["metadata"]
    assert ended["output_urls"]
    assert all(url.endswith(".mp4") for url in ended["output_urls"])


async def test_iacrea_is_not_sent_a_prompt_that_it_would_ignore(world: Journey, picture: bytes) -> None:
    video = await world.service.upload(picture, provider="iacrea", motion="auto", prompt="sunrise")
    assert (await world.submission(await world.ended(video["id"])))["prompt"] is None


@pytest.mark.parametrize("provider", SERVED)
async def test_a_picture_may_come_as_base64(world: Journey, picture: bytes, provider: Provider) -> None:
    text = base64.b64encode(picture).decode()
    plain = await world.service.submit(image_base64="\n".join([text[:100], text[100:]]), provider=provider)
    data_url = await world.service.submit(image_base64=f"data:image/jpeg;base64,{text}", provider=provider)
    for video in (plain, data_url):
        ended = await world.ended(video["id"])
        assert ended["status"] == "ready", ended
        assert (await world.submission(ended))["picture_bytes"] == len(picture)


@pytest.mark.parametrize("provider", SERVED)
async def test_a_picture_may_come_by_its_address(world: Journey, picture: bytes, provider: Provider) -> None:
    uploaded = await world.service.upload(picture, provider="iacrea")
    video = await world.service.submit(image_url=uploaded["input_image"], provider=provider)
    ended = await world.ended(video["id"])
    assert ended["status"] == "ready", ended
    assert ended["input_image"] == uploaded["input_image"]
    assert (await world.submission(ended))["picture_bytes"] == len(picture)


async def test_an_address_without_a_picture_fails_before_anything_is_paid(world: Journey) -> None:
    before = len((await world.sandbox.records())["records"])
    missing = f"{world.sandbox.url}/nothing/here.png"
    video = await world.service.submit(image_url=missing, provider="homedesigns")
    ended = await world.ended(video["id"])
    assert ended["error"]["code"] == "image_rejected"
    assert ended["refund"] == {"status": "not_charged", "credits": 0}
    assert len((await world.sandbox.records())["records"]) == before


async def test_events_carry_what_the_contract_promises(world: Journey, picture: bytes) -> None:
    video = await world.service.upload(picture, provider="homedesigns")
    await world.events(video["id"], "video.submitted", "video.ready")
    messages = [message for message in world.inbox.messages if decoded(message)["subject"] == video["id"]]
    assert [message.routing_key for message in messages] == [
        "video.submitted.homedesigns",
        "video.ready.homedesigns",
    ]
    for message in messages:
        event = decoded(message)
        assert message.message_id == event["id"]
        assert message.correlation_id == video["id"] == event["subject"]
        assert message.type == event["type"]
        assert message.content_type == "application/cloudevents+json"
        assert message.delivery_mode == 2
        assert message.app_id == "reelbus"
        assert message.timestamp is not None
        assert (event["specversion"], event["source"]) == ("1.0", "/reelbus")
    assert decoded(messages[-1])["data"] == await world.service.video(video["id"])


async def test_four_roles_in_four_processes_do_what_one_does(start: StartJourney, picture: bytes) -> None:
    world = await start("receiver", "generator", "poller", "publisher")
    by_webhook = await world.service.upload(picture, provider="iacrea")
    by_poll = await world.service.upload(picture, provider="homedesigns")
    assert (await world.ended(by_webhook["id"]))["detected_by"] == "webhook"
    assert (await world.ended(by_poll["id"]))["detected_by"] == "poll"


async def run(world: Journey, *words: str, **env: str) -> tuple[int, str, str]:
    """Run a command against the world's service; give exit status, standard output and standard error."""
    log = world.service.folder / f"{words[0]}-command.log"
    log.unlink(missing_ok=True)
    return await (await Command.start(*words, env={**world.service.env, **env}, log=log)).finish()


async def test_the_shell_submits_waits_lists_shows_and_redelivers(world: Journey, picture: bytes) -> None:
    file = world.service.folder / "house.jpg"
    file.write_bytes(picture)
    status, output, progress = await run(
        world, "submit", str(file), "--motion", "zoom_in", "--metadata", "a=b", "--wait"
    )
    event = json.loads(output)
    assert (status, event["type"], event["data"]["metadata"]) == (0, "video.ready", {"a": "b"})
    assert "ready" in progress

    video_id = event["subject"]
    assert video_id in (await run(world, "list"))[1]
    shown = (await run(world, "show", video_id))[1]
    assert "accepted by the provider" in shown
    assert await run(world, "redeliver", video_id) == (0, f"{video_id}\n", "")
    await world.inbox.until(lambda inbox: inbox.ids.count(event["id"]) == 2)

    status, output, errors = await run(world, "redeliver", "nothing-of-the-kind", video_id)
    assert (status, output) == (1, f"{video_id}\n")
    assert "nothing-of-the-kind" in errors


async def test_the_shell_says_what_failed_by_its_exit_status(world: Journey, picture: bytes) -> None:
    file = world.service.folder / "house.jpg"
    file.write_bytes(picture)
    words = ("submit", str(file), "--motion", "zoom_in", "--provider", "iacrea", "--prompt", "sandbox: fail", "--wait")
    status, output, _ = await run(world, *words)
    event: Any = json.loads(output)
    assert (status, event["type"]) == (5, "video.failed")
    assert event["data"]["refund"] == {"status": "refunded", "credits": 1}


async def test_the_doctor_finds_a_sound_service_sound(world: Journey) -> None:
    status, output, _ = await run(world, "doctor")
    assert status == 0, output
    assert {"settings", "store", "broker", "iacrea", "homedesigns"} <= {line.split()[1] for line in output.splitlines()}


async def test_the_doctor_names_what_is_wrong_and_the_mend(world: Journey) -> None:
    wrong = {"REELBUS_IACREA_API_KEY": "mistyped", "REELBUS_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/"}
    status, output, _ = await run(world, "doctor", **wrong)
    failed = {line.split()[1] for line in output.splitlines() if line.startswith("fail")}
    assert status == 1
    assert failed == {"broker", "iacrea"}
    assert "mistyped" not in output


async def command(world: Journey, body: bytes, message_id: str | None = None) -> Any:
    """Submit by publishing, and wait for the reply."""
    async with world.inbox.broker.channel() as channel:
        replies = await channel.declare_queue(exclusive=True)
        exchange = await channel.get_exchange("video.commands")
        message = Message(body, message_id=message_id, reply_to=replies.name, correlation_id="mine")
        await exchange.publish(message, "submit")
        async with replies.iterator(timeout=20) as incoming:
            reply = await anext(incoming)
            assert reply.correlation_id == "mine"
            return json.loads(reply.body)


async def test_a_microservice_submits_by_publishing(world: Journey, picture: bytes) -> None:
    body = json.dumps({"motion": "zoom_out", "image_base64": base64.b64encode(picture).decode()}).encode()
    first = await command(world, body, "order-1")
    again = await command(world, body, "order-1")
    assert first["id"] == again["id"]
    assert (await world.ended(first["id"]))["status"] == "ready"


async def test_a_command_that_is_refused_is_answered_with_its_faults(world: Journey) -> None:
    problem = await command(world, b'{"motion": "sideways", "image_url": "ftp://x/y.png"}')
    assert problem["code"] == "invalid_request"
    assert {fault["field"] for fault in problem["errors"]} == {"motion", "image_url"}
