"""The receiver starts clearly or not at all, stops in time, and writes nothing secret into its log."""

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import structlog

from intake.context import Context
from process.settings import Settings, WrongSettings
from process.tokens import Signer
from receiver import run
from store.database import Store
from tests.support.pictures import picture
from tests.support.ports import free_port
from tests.support.receiver import URL_REQUEST, Receiver, serving


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": "192.0.2.1", "api_keys": "shop:shop-key-of-tests"}, "REELBUS_HOST"),
        ({"host": "no such host", "api_keys": "shop:shop-key-of-tests"}, "REELBUS_HOST"),
        ({"host": "0.0.0.0"}, "REELBUS_API_KEYS"),  # noqa: S104 - refused
    ],
)
async def test_where_it_may_not_or_cannot_listen_it_says_why(
    tmp_path: Path, settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(WrongSettings, match=named):
        async with serving(tmp_path, **settings):
            pass


@pytest.mark.parametrize("health", [False, True])
async def test_a_port_that_is_taken_is_named(tmp_path: Path, health: bool) -> None:  # noqa: FBT001 - a case
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings = Settings(port=port, health_port=port)
        store = await Store.open(f"sqlite:///{tmp_path}/reelbus.db")
        context = Context(settings, store, Signer(["secret"]))
        start = run.run_health if health else run.run
        with pytest.raises(WrongSettings, match=f"REELBUS_{'HEALTH_' if health else ''}PORT {port} is taken"):
            await start(context, asyncio.Event())
        await store.close()


async def test_a_role_without_http_of_its_own_serves_health_and_metrics_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        port = free_port()
        settings = service.context.settings.model_copy(update={"health_port": port})
        context = Context(settings, service.store, service.context.signer)
        stop, started = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(run.run_health(context, stop, started))
        await started.wait()

        statuses = {
            address: (await service.http.get(f"http://127.0.0.1:{port}{address}")).status_code
            for address in ("/healthz", "/readyz", "/metrics", "/v1/videos", "/console")
        }
        stop.set()
        await running

    assert statuses == {"/healthz": 200, "/readyz": 200, "/metrics": 200, "/v1/videos": 404, "/console": 404}


async def test_it_answers_what_is_in_hand_before_it_stops(service: Receiver) -> None:
    large = picture() + bytes(8_000_000)
    answers = [
        asyncio.create_task(
            service.http.post("/v1/videos", data={"motion": "auto"}, files={"image": large}, timeout=20)
        )
        for _ in range(5)
    ]
    await asyncio.sleep(0.1)
    service.stop.set()

    assert [answer.status_code for answer in await asyncio.gather(*answers)] == [202] * 5


async def test_idle_connections_do_not_hold_it_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.http.get("/healthz")
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        began = time.monotonic()
    writer.close()

    assert time.monotonic() - began < 3


async def test_no_secret_reaches_the_log(tmp_path: Path) -> None:
    canaries = {
        "key": "canary-of-an-api-key",
        "prompt": "canary-of-a-prompt",
        "metadata": "canary-of-metadata",
        "address": "canary-of-an-address",
        "body": "canary-of-a-body",
        "idempotency": "canary-of-a-key-of-idempotency",
    }
    with structlog.testing.capture_logs() as logs:
        async with serving(tmp_path, api_keys=f"shop:{canaries['key']}") as service:
            token = service.context.signer.webhook_token("f" * 32)
            media = service.context.signer.media_token("01a1fb80-55bb-754f-a0b3-000000000000", expires_at=4e9)
            fields = {
                "motion": "auto",
                "image_url": f"https://example.com/{canaries['address']}",
                "prompt": canaries["prompt"],
                "metadata": {"a": canaries["metadata"]},
            }
            headers = {"idempotency-key": canaries["idempotency"]}
            assert (await service.http.post("/v1/videos", json=fields, headers=headers)).status_code == 202
            assert (await service.http.post("/v1/videos", json={**fields, "x": 1})).status_code == 422
            assert (await service.http.post("/v1/videos", json=URL_REQUEST, headers=headers)).status_code == 409
            await service.http.get("/v1/videos", headers={"authorization": f"Bearer {canaries['key']}x"})
            for attempt in (token, token + "x"):
                await service.http.post(f"/webhooks/iacrea/{attempt}", content=canaries["body"].encode())
            await service.http.get(f"/media/{media}")

    written = repr(logs)
    assert "request answered" in written
    assert "'caller': 'shop'" in written
    assert [secret for secret in [*canaries.values(), token, media] if secret in written] == []
