"""What operators read: one line an event of a video's life in the log, and counts on every role's internal port."""

import json
from typing import Any

import httpx
import pytest

from tests.journey.conftest import Journey, StartJourney, knows_a_provider
from tests.support.ports import free_port
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ROLES = ("receiver", "generator", "poller", "publisher")


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {role: free_port() for role in ROLES}


async def _world(start: StartJourney, ports: dict[str, int]) -> Journey:
    world = await start("receiver", REELBUS_HEALTH_PORT=str(ports["receiver"]))
    for role in ROLES[1:]:
        await world.service.start(role, REELBUS_HEALTH_PORT=str(ports[role]))
    await eventually(lambda: knows_a_provider(world.service), what="an announced provider")
    return world


def _lines(world: Journey, role: str) -> list[dict[str, Any]]:
    text = (world.service.folder / f"{role}.log").read_text()
    return [json.loads(line) for line in text.splitlines()]  # off a terminal each is JSON, from the first one on


async def test_every_step_of_a_video_is_one_line_that_names_it_and_the_role(
    start: StartJourney, picture: bytes, ports: dict[str, int]
) -> None:
    world = await _world(start, ports)
    await world.sandbox.plan("iacrea", ["http-429", "ok"])
    world.service.http.headers["traceparent"] = f"00-{TRACE}-00f067aa0ba902b7-01"
    video = await world.service.upload(picture, provider="iacrea")
    await world.ended(video["id"])

    expected = {
        "receiver": ["video accepted"],
        "generator": ["submission not accepted", "video submitted"],
        "poller": ["attempt settled"],
        "publisher": ["event published", "event published"],
    }
    for role, events in expected.items():
        mine = [line for line in _lines(world, role) if line.get("video") == video["id"]]
        assert [line["event"] for line in mine] == events, world.service.logs()
        assert {line["role"] for line in mine} == {role}
        assert {line.get("trace_id") for line in mine} == {TRACE}, mine
    [refused, _] = [line for line in _lines(world, "generator") if line.get("video") == video["id"]]
    assert (refused["level"], "429" in refused["reason"]) == ("warning", True)
    [accepted] = [line for line in _lines(world, "receiver") if line["event"] == "video accepted"]
    assert accepted["request_id"]
    [webhook] = [line for line in _lines(world, "receiver") if line["event"] == "webhook received"]
    [settled] = [line for line in _lines(world, "poller") if line["event"] == "attempt settled"]
    assert (webhook["level"], settled["detected_by"]) == ("info", "webhook")
    assert webhook["attempt_id"] == settled["attempt_id"]  # which leads from a webhook to its video and trace

    [started] = [line for line in _lines(world, "receiver") if line["event"] == "starting"]
    assert started["api"] == f"{str(world.service.http.base_url).rstrip('/')}/docs"

    for port in ports.values():
        await _has(port, "reelbus_credits_spent", provider="iacrea")
    await _has(ports["publisher"], "reelbus_videos_finished_total", outcome="ready", provider="iacrea")
    await _has(ports["publisher"], "reelbus_video_seconds_count", outcome="ready")
    await _has(ports["poller"], "reelbus_attempts_ended_total", outcome="ready", provider="iacrea")
    await _has(ports["generator"], "reelbus_provider_request_seconds_count", provider="iacrea", request="submit")
    await _has(ports["poller"], "reelbus_store_commit_seconds_count")
    await _has(ports["poller"], "reelbus_event_loop_delay_seconds_count")


async def _has(port: int, name: str, **labels: str) -> None:
    """Wait until a series is there and is not 0."""

    async def there() -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        found = [line for line in text.splitlines() if line.startswith(name)]
        return any(
            all(f'{label}="{value}"' in line for label, value in labels.items()) and not line.endswith(" 0.0")
            for line in found
        )

    await eventually(there, what=f"{name}{labels} at {port}")
