"""Adding a provider touches its own folder and one line of the registry; the service takes it from there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from process.provider_settings import with_provider_settings
from process.settings import Settings
from providers import registry
from reelbus.roles import Role, run_roles
from schemas import names
from tests.providers import toy
from tests.support.ports import free_port
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Serve with the toy as the only provider that has credentials."""
    names.PROVIDERS.append(toy.CAPABILITIES.name)
    monkeypatch.setitem(registry.PROVIDERS, toy.CAPABILITIES.name, toy.CAPABILITIES)
    port = free_port()
    settings = with_provider_settings(Settings).read(
        {
            "REELBUS_DATABASE_URL": f"sqlite:///{tmp_path / 'reelbus.db'}",
            "REELBUS_PORT": str(port),
            "REELBUS_PROVIDERS": "toy",
            "REELBUS_TOY_KEY": "a key",
            "REELBUS_PROVE_RESULTS": "false",  # the toy's results are on a host that is not there
        },
        file=None,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(run_roles(settings, [Role.RECEIVER, Role.GENERATOR, Role.POLLER], stop))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        yield http
        stop.set()
        await running
    names.PROVIDERS.remove(toy.CAPABILITIES.name)


async def test_a_video_by_a_new_provider_is_made_after_its_webhook(service: httpx.AsyncClient) -> None:
    async def video(status: str) -> Any:
        shown = (await service.get(f"/v1/videos/{made['id']}")).json()
        return shown if shown["status"] == status else None

    request = {"image_url": "https://example.com/house.jpg", "motion": "zoom_in", "provider": "toy"}
    await eventually(lambda: _answers(service), what="the receiver's start")
    answer = await service.post("/v1/videos", json=request)
    assert answer.status_code == 202, answer.text
    made = answer.json()

    generating = await eventually(lambda: video("generating"), what="the submission")
    [client] = toy.MADE
    [order] = client.orders
    assert (client.given.credentials, client.given.url) == (
        {"key": "a key", "second_key": ""},
        "https://toy.example",
    )
    assert order.webhook_url is not None
    assert order.name
    assert "/webhooks/toy/" in order.webhook_url
    assert generating["attempts"][0]["motion_form"] == "prompt"

    # Its grace is two minutes: only the webhook makes a check due in time.
    client.done = True
    assert (await service.post(order.webhook_url, content=b"{}")).status_code == 200
    ready = await eventually(lambda: video("ready"), what="the end")
    assert (ready["provider"], ready["detected_by"]) == ("toy", "webhook")
    assert ready["output_urls"] == ["https://toy.example/toy-1/toy-1.mp4"]
    live = datetime.fromisoformat(ready["expires_at"]) - datetime.fromisoformat(ready["completed_at"])
    assert live == timedelta(hours=1)


async def _answers(service: httpx.AsyncClient) -> bool:
    try:
        return (await service.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("name", ["replicate", "runway"])
def test_a_provider_of_the_kit_fits_in_400_lines_with_its_stand_in(name: str) -> None:
    files = [*(ROOT / "providers" / name).glob("*.*"), ROOT / "sandbox" / "kit" / f"{name}.py"]
    assert len(files) > 3
    assert sum(len(file.read_text().splitlines()) for file in files) <= 400
