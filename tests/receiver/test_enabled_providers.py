"""A receiver needs no provider's secrets: it knows from the store which providers the generators have."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from intake import commands, enabled
from jobs.announced import SWITCHED_OFF_SECONDS
from process.settings import Settings
from schemas.names import PROVIDERS, Provider
from store import announcements, providers
from store.announcements import Role
from store.database import StoreUnavailable
from tests.support.ports import free_port
from tests.support.receiver import URL_REQUEST, Receiver, serving

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")


@pytest_asyncio.fixture
async def keyless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """Give a receiver without any provider's credentials, which reads at every request what is announced."""
    monkeypatch.setattr(enabled, "_KEPT_SECONDS", 0.0)
    url = f"sqlite:///{tmp_path}/reelbus.db"
    async with serving(tmp_path, chosen=Settings.model_validate({"port": free_port(), "database_url": url})) as service:
        yield service


async def announce(service: Receiver, *providers: Provider, at: float, role: Role = Role.GENERATOR) -> None:
    await service.store.write(announcements.announce, role, providers, now=at)


async def asked(service: Receiver, provider: str) -> tuple[int, str]:
    answer = await service.http.post("/v1/videos", json={**URL_REQUEST, "provider": provider})
    return answer.status_code, answer.json().get("code", "")


async def test_while_no_generator_has_ever_started_callers_are_told_to_come_again(keyless: Receiver) -> None:
    await announce(keyless, IACREA, at=1000, role=Role.POLLER)
    answer = await keyless.http.post("/v1/videos", json=URL_REQUEST)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.headers["retry-after"] == "1"


async def test_a_command_waits_until_a_generator_has_started(keyless: Receiver) -> None:
    body = b'{"motion": "zoom_in", "image_url": "https://example.com/house.jpg"}'
    with pytest.raises(StoreUnavailable, match="no generator"):
        await commands.handle(keyless.context, body, None)
    await announce(keyless, IACREA, at=1000)
    assert (await commands.handle(keyless.context, body, None)).accepted


async def test_what_any_generator_has_is_taken_and_nothing_else(keyless: Receiver) -> None:
    await announce(keyless, IACREA, at=1000)
    assert await asked(keyless, "auto") == (202, "")
    assert await asked(keyless, "homedesigns") == (422, "provider_disabled")
    await announce(keyless, HOMEDESIGNS, at=1001)
    assert await asked(keyless, "homedesigns") == (202, "")
    shown = (await keyless.http.get("/v1/status")).json()["providers"]
    assert {name for name, state in shown.items() if state["enabled"]} == {"iacrea", "homedesigns"}


async def test_an_overview_shows_those_that_are_used_and_the_list_shows_all(keyless: Receiver) -> None:
    async def shown() -> set[str]:
        status = (await keyless.http.get("/v1/status")).json()["providers"]
        assert (await keyless.http.get("/v1/credits")).json().keys() == status.keys()
        return set(status) - {IACREA, HOMEDESIGNS}

    await announce(keyless, IACREA, at=1000)
    assert await shown() == set()
    await announce(keyless, Provider("fal"), at=1001)
    assert await shown() == {"fal"}
    await keyless.store.write(providers.set_tokens, Provider("kling"), tokens=1.0, now=1002)
    assert await shown() == {"fal", "kling"}
    assert (await keyless.http.post("/v1/providers/runway/pause")).status_code == 200
    assert await shown() == {"fal", "kling", "runway"}
    listed = (await keyless.http.get("/v1/providers")).json()["items"]
    assert [item["name"] for item in listed] == [*PROVIDERS]


async def test_a_provider_that_living_generators_announce_no_more_is_refused(keyless: Receiver) -> None:
    await announce(keyless, IACREA, HOMEDESIGNS, at=1000)
    await announce(keyless, IACREA, at=1000 + SWITCHED_OFF_SECONDS + 1)
    assert await asked(keyless, "homedesigns") == (422, "provider_disabled")


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_generators_that_are_away_and_clocks_that_are_put_switch_nothing_off(
    keyless: Receiver, step: float
) -> None:
    await announce(keyless, IACREA, HOMEDESIGNS, at=keyless.context.now() + step)
    assert await asked(keyless, "homedesigns") == (202, "")
