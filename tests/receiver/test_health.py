"""Health tells the truth: alive is alive, ready is store and broker, and the metrics say what waits."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.receiver import Receiver, serving


@dataclass
class BrokerConnection:
    """What a publisher would say of its connection."""

    connected: bool
    last_error: str | None = None
    dead_letters: int | None = None
    commands: "BrokerConnection | None" = None


async def test_a_receiver_with_store_and_broker_is_ready(tmp_path: Path) -> None:
    async with serving(tmp_path, broker=BrokerConnection(connected=True, dead_letters=2)) as service:
        answer = await service.http.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "store": "ready",
        "broker": "ready",
        "unpublished_events": 0,
        "oldest_unpublished_seconds": 0.0,
        "refused_events": 0,
        "dead_letters": 2,
    }


async def test_without_its_broker_it_is_not_and_says_why(tmp_path: Path) -> None:
    link = BrokerConnection(connected=False, last_error="connection refused")
    async with serving(tmp_path, broker=link) as service:
        answer = await service.http.get("/readyz")

        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert answer.json()["errors"] == [{"field": "broker", "message": "connection refused"}]
        assert answer.headers["retry-after"]
        assert (await service.http.get("/healthz")).json() == {"status": "alive"}

        await service.make()


@pytest.mark.parametrize("step", [11.0, -11.0, 3600.0, -3600.0])
async def test_a_step_of_the_clock_makes_no_old_look_a_new_one(tmp_path: Path, step: float) -> None:
    link = BrokerConnection(connected=True)
    async with serving(tmp_path, broker=link) as service:
        assert (await service.http.get("/readyz")).status_code == 200
        link.connected = False
        real = service.context.now
        service.context.now = lambda: real() + step

        assert (await service.http.get("/readyz")).status_code == 503


async def test_it_is_ready_again_when_the_broker_is_back(tmp_path: Path) -> None:
    link = BrokerConnection(connected=False)
    async with serving(tmp_path, broker=link) as service:
        assert (await service.http.get("/readyz")).status_code == 503
        link.connected = True
        real = service.context.now
        service.context.now = lambda: real() + 1

        assert (await service.http.get("/readyz")).status_code == 200


async def test_what_waits_for_the_broker_is_told(service: Receiver) -> None:
    video_id = await service.make()
    await service.finish(video_id)
    await service.make()

    ready = (await service.http.get("/readyz")).json()
    metrics = (await service.http.get("/metrics")).text

    assert ready["unpublished_events"] == 1
    assert "reelbus_outbox_events 1.0" in metrics
    assert 'reelbus_videos_open{state="accepted"} 1.0' in metrics


async def test_metrics_name_routes_and_callers_never_addresses(service: Receiver) -> None:
    video_id = await service.make()
    token = service.context.signer.webhook_token("f" * 32)
    await service.http.post(f"/webhooks/iacrea/{token}")
    await service.http.get(f"/v1/videos/{video_id}")
    await service.http.get("/no/such/secret")

    answer = await service.http.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert 'route="/v1/videos/{id}"' in answer.text
    assert 'route="/webhooks/{provider}/{token}"' in answer.text
    assert not {text for text in (token, video_id, "secret") if text in answer.text}


async def test_the_status_shows_providers_broker_and_backlog(tmp_path: Path) -> None:
    async with serving(tmp_path, broker=BrokerConnection(connected=True), homedesigns_token=None) as service:
        await service.make()
        status = (await service.http.get("/v1/status")).json()

    assert status["broker"] == {"ready": True, "fault": None}
    assert status["open_videos"] == {"accepted": 1}
    assert {name: state["enabled"] for name, state in status["providers"].items()} == {
        "iacrea": True,
        "homedesigns": False,
    }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics", "/v1/status"])
async def test_what_watches_the_shared_is_never_cached(shared: Receiver, address: str) -> None:
    assert (await shared.http.get(address)).headers["cache-control"] == "no-store"


async def test_parked_commands_and_the_link_that_takes_commands_show_in_the_status(tmp_path: Path) -> None:
    taking = BrokerConnection(connected=False, last_error="the topology does not match")
    async with serving(tmp_path, broker=BrokerConnection(connected=True, dead_letters=3, commands=taking)) as service:
        shown = (await service.http.get("/v1/status")).json()

    assert shown["broker"] == {"ready": True, "fault": None}
    assert shown["commands"] == {
        "link": {"ready": False, "fault": "the topology does not match"},
        "dead_letters": 3,
    }
