"""The internal port of a process tells operators everything, also where its surface faces the internet."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from intake.context import Context
from receiver import run
from tests.support.ports import free_port
from tests.support.receiver import Receiver, serving


class _Broker:
    connected = False
    last_error = "the broker cannot be reached"
    dead_letters = 3
    commands = None


@pytest.fixture
async def internal(tmp_path: Path) -> AsyncIterator[Receiver]:
    """Give a public receiver; its client reaches the internal port by the whole address."""
    async with serving(tmp_path, surface="public", broker=_Broker()) as service:
        settings = service.context.settings.model_copy(update={"health_port": free_port()})
        context = Context(settings, service.store, service.context.signer, broker=_Broker())
        stop, started = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(run.run_health(context, stop, started))
        await started.wait()
        yield Receiver(context, service.http)
        stop.set()
        await running


def _address(service: Receiver, path: str) -> str:
    return f"http://127.0.0.1:{service.context.settings.health_port}{path}"


async def test_readiness_is_told_with_its_reasons_there_alone(internal: Receiver) -> None:
    inside = await internal.http.get(_address(internal, "/readyz"))
    outside = await internal.http.get("/readyz")

    assert "the broker cannot be reached" in inside.text
    assert "broker" not in outside.text
    assert (inside.status_code, outside.status_code) == (503, 503)


async def test_refused_webhooks_are_counted_where_operators_can_see_it(internal: Receiver) -> None:
    before = await _value(internal, "reelbus_webhooks_refused_total")
    assert (await internal.http.post("/webhooks/iacrea/guessed", content=b"{}")).status_code == 404
    assert await _value(internal, "reelbus_webhooks_refused_total") == before + 1
    assert (await internal.http.get("/metrics")).status_code == 404


async def test_credits_budget_and_backlog_are_told_without_a_broker(internal: Receiver) -> None:
    for name in ("reelbus_credits_spent", "reelbus_provider_budget_requests", "reelbus_provider_held_back"):
        assert await _value(internal, name) >= 0
    assert await _value(internal, "reelbus_store_ready") == 1


async def test_metrics_can_be_had_while_the_store_takes_no_write(internal: Receiver, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "reelbus.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert await _value(internal, "reelbus_store_ready") == 0
    finally:
        other.execute("ROLLBACK")
        other.close()


async def _value(service: Receiver, name: str) -> float:
    text = (await service.http.get(_address(service, "/metrics"), timeout=30)).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return max(sample.value for sample in samples if sample.name == name)


async def test_the_internal_port_may_listen_elsewhere(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        port = free_port()
        update = {"health_port": port, "health_host": "127.0.0.2"}
        context = Context(service.context.settings.model_copy(update=update), service.store, service.context.signer)
        stop, started = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(run.run_health(context, stop, started))
        await started.wait()
        assert (await service.http.get(f"http://127.0.0.2:{port}/healthz")).status_code == 200
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await asyncio.open_connection("127.0.0.1", port)
        stop.set()
        await running
