"""What is away is said loudly, and nothing is green that is not known to be well."""

from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page

from schemas.names import Provider
from schemas.status import Reachable
from store import circuits, providers
from store.circuits import CircuitRow
from tests.console.browser import BrokerLink, Console, console_of, until_text
from tests.support.receiver import serving


@dataclass
class SeenRoute:
    """What would be known of the public address."""

    state: Reachable | None


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_when_all_is_well_nothing_is_said(console: Console) -> None:
    page = await console.open()

    assert await page.locator("#troubles li").count() == 0
    assert await _state(page, "iacrea") == "good"


async def test_a_service_that_is_away_is_said_so_and_no_tile_stays_green(console: Console) -> None:
    video_id = await console.service.make()
    page = await console.open()
    await page.locator(f"tr[data-id='{video_id}']").wait_for()

    console.service.stop.set()

    await until_text(page, "#troubles li[data-level=bad]", "The service is away")
    assert await page.locator(".tile:not([data-state=unknown])").count() == 0
    await until_text(page, "#live-text", "reconnecting")
    assert await page.locator("#videos tr").count() == 1
    await page.locator(f"tr[data-id='{video_id}'] a").click()
    await until_text(page, "#detail-fault", "The video cannot be read: it does not answer.")
    await page.get_by_role("button", name="Close").click()


async def test_a_broker_that_is_away_is_said_so_until_it_is_back(console: Console, broker: BrokerLink) -> None:
    page = await console.open()
    broker.connected, broker.last_error = False, "connection refused"

    await until_text(page, "#troubles li[data-level=bad]", "RabbitMQ is away: connection refused")
    assert await _state(page, "RabbitMQ") == "bad"
    broker.connected = True

    await page.locator("#troubles li").wait_for(state="detached")
    assert await _state(page, "RabbitMQ") == "good"


async def test_a_public_address_that_does_not_lead_back_any_more_is_red(console: Console) -> None:
    found = SeenRoute(Reachable(ready=True, fault=None))
    console.service.context.public_route = found
    page = await console.open()
    assert await _state(page, "Public address") == "good"

    found.state = Reachable(ready=False, fault="https://hooks.test answers 502")

    await until_text(page, "#troubles li[data-level=bad]", "do not come back any more: https://hooks.test answers 502")
    assert await _state(page, "Public address") == "bad"


async def test_a_provider_that_refuses_our_key_is_red(console: Console) -> None:
    now = console.service.context.now()
    await console.service.store.write(providers.set_tokens, Provider("iacrea"), tokens=1.0, now=now)
    await console.service.store.write(providers.set_authorized, Provider("iacrea"), authorized=False, now=now)
    page = await console.open()

    await until_text(page, "#troubles li[data-level=bad]", "iacrea refuses our key")
    assert await _state(page, "iacrea") == "bad"


async def test_a_service_without_any_credentials_says_that_it_can_make_nothing(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    none = {"iacrea_api_key": None, "iacrea_user_id": None, "homedesigns_token": None}
    async with serving(tmp_path_factory.mktemp("bare"), **none) as service, console_of(service, browser) as console:
        page = await console.open()
        await until_text(page, "#troubles li", "No provider has credentials")
        assert await _state(page, "iacrea") == "off"


async def test_a_provider_of_an_unknown_name_has_no_page(console: Console) -> None:
    page = await console.open("/console/providers/nobody")
    await page.get_by_text("There is no provider of this name").wait_for()


async def _state(page: Page, title: str) -> str | None:
    return await page.locator(".tile", has=page.get_by_role("heading", name=title, exact=True)).get_attribute(
        "data-state"
    )


async def test_a_provider_that_is_away_is_red_with_since_when_and_why(console: Console) -> None:
    now = console.service.context.now()
    row = CircuitRow(failures=5, reason="connection refused", opened_at=now - 60, probe_at=now + 300)
    await console.service.store.write(circuits.put, Provider("iacrea"), row)
    page = await console.open("/console/providers/iacrea")

    await until_text(page, "#troubles li[data-level=bad]", "iacrea is away since")
    await until_text(page, ".provider[data-provider=iacrea][data-state=bad] dd", "connection refused")
    assert await _state(page, "iacrea") == "bad"
    assert await _state(page, "homedesigns") == "good"
    assert await page.locator(".provider").count() == 1


async def test_a_provider_is_paused_and_resumed_after_that_was_confirmed(console: Console) -> None:
    page = await console.open("/console/providers")
    await page.get_by_role("button", name="Pause iacrea").click()
    await page.get_by_role("dialog", name="Pause iacrea").get_by_role("button", name="Cancel").click()
    assert await _state(page, "iacrea") == "good"

    await page.get_by_role("button", name="Pause iacrea").click()
    await page.get_by_role("dialog", name="Pause iacrea").get_by_role("button", name="Pause").click()
    await until_text(page, "#troubles li[data-level=warn]", "iacrea is paused by :local")
    assert await _state(page, "iacrea") == "warn"

    await page.get_by_role("button", name="Resume iacrea").click()
    await page.get_by_role("dialog", name="Resume iacrea").get_by_role("button", name="Resume").click()
    await page.locator("#troubles li").wait_for(state="detached")
    actions = [entry["action"] for entry in (await console.service.http.get("/v1/audit")).json()["items"]]
    assert actions == ["resumed", "paused"]
