"""The kit's stand-ins live by themselves: their jobs wait, run and end, and they call back, soundly or not."""

from pathlib import Path

import pytest

from providers.base import WebhookMessage
from providers.registry import PROVIDERS
from providers.reports import Failed, Ready, Signature, Working
from sandbox.kit.life import LOST, TWICE, Habits
from sandbox.kit.serving import NAMES, environment, living, stand_in_for
from schemas.names import Provider
from tests.providers.conformance.examinee import Newer
from tests.providers.peer import Peer, says
from tests.support.service import Command
from tests.support.waiting import eventually

SIGNING = [name for name in NAMES if PROVIDERS[Provider(name)].calls_back]


@pytest.mark.parametrize("name", NAMES)
async def test_a_job_waits_runs_and_ends(name: str) -> None:
    async with living(name, seconds=0.2) as life:
        newer = Newer(life.stand_in)
        failing = next(iter(life.stand_in.failures))
        life.habits = Habits({failing: 1.0})
        job = await newer.submitted("ok")  # what was planned comes before what is drawn
        other = await newer.submitted(failing, name="another")
        assert isinstance(await newer.client.check(job), Working)
        await eventually(lambda: set(life.ended_at) == set(life.stand_in.jobs))
        assert isinstance(await newer.client.check(other), Failed)
        assert life.fates == {job.id: "ok", other.id: failing}
        await newer.client.close()


@pytest.mark.parametrize(("drawn", "least"), [("", 1), (TWICE, 2), (LOST, 0), ("changed", 1)])
@pytest.mark.parametrize("name", SIGNING)
async def test_a_webhook_comes_signed_twice_never_or_with_a_flaw(name: str, drawn: str, least: int) -> None:
    receiver = Peer([says(200, {})])
    await receiver.start()
    async with living(name, seconds=0.1) as life:
        newer = Newer(life.stand_in)
        life.habits = Habits(webhooks={drawn: 1.0})
        job = await newer.submitted("ok", webhook_url=f"{receiver.url}/w")
        await eventually(lambda: job.id in life.ended_at)
        await eventually(lambda: len(receiver.requests) >= least)
        if least:
            head, _, body = receiver.requests[-1].partition(b"\r\n\r\n")
            lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            headers = {key.lower(): value for key, value in lines}
            reading = await newer.client.read_webhook(WebhookMessage(body, headers, life.ended_at[job.id]))
            good = Signature.WRONG if drawn == "changed" else Signature.GOOD
            assert reading.signature is good
        await newer.client.close()
    await receiver.stop()
    assert drawn != LOST or not receiver.requests


async def test_an_outage_is_met_by_every_request_until_it_is_over() -> None:
    async with living("runway", seconds=0.1) as life:
        newer = Newer(life.stand_in)
        job = await newer.submitted("ok")
        life.habits = Habits(outage="503")
        assert not isinstance(await newer.client.check(job), Working | Ready)
        life.habits = Habits()
        assert isinstance(await newer.client.check(job), Working | Ready)
        await newer.client.close()


def test_its_settings_are_those_of_the_providers_record() -> None:
    for name in NAMES:
        stand_in = stand_in_for(name)
        record = PROVIDERS[Provider(name)]
        known = {"url", *(each.name for each in record.credentials), *(each.name for each in record.options)}
        assert {each.removeprefix(f"REELBUS_{name.upper()}_").lower() for each in environment(stand_in)} <= known


async def test_the_command_serves_all_of_them_and_says_how_to_use_them(tmp_path: Path) -> None:
    words = ("sandbox", "--all", "--port", "0", "--no-render-clips")
    command = await Command.start(*words, env={}, log=tmp_path / "log")
    try:
        await eventually(lambda: "stand-ins for all providers" in command.log.read_text())
        said = command.log.read_text()
        for name in ("IACREA_URL", "HOMEDESIGNS_URL", "FAL_KEYS_URL", "KLING_API_KEY", "REPLICATE_TOKEN", "RUNWAY_URL"):
            assert f"REELBUS_{name}=" in said
    finally:
        await command.kill()
