"""Every page of the console works in a real browser, without barriers, in light and dark and on a phone."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from jobs.durations import Plan
from schemas.names import Provider
from store import durations
from store.transaction import Tx
from tests.console.browser import DESKTOP, PHONE, BrokerLink, Console, console_of, until_still
from tests.console.seeding import failed
from tests.receiver.test_operating import attempt_of
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = {
    "/console": "Videos",
    "/console/events": "Events",
    "/console/providers": "Providers",
    "/console/providers/iacrea": "iacrea",
    "/console/operations": "Operations",
    "/console/webhooks": "Webhooks",
    "/console/audit": "Audit log",
    "/console/settings": "Settings",
    "/console/drift": "New answers",
}


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_has_an_address_of_its_own(console: Console, path: str) -> None:
    page = await console.open(path)

    await page.get_by_role("heading", name=PAGES[path], level=1, exact=True).wait_for()
    assert await page.locator("main > section.panel:visible, main > section[id^=page-]:visible").count() == 1


async def test_the_pages_are_reached_by_keyboard_alone_and_back_leads_back(console: Console) -> None:
    page = await console.open()

    await page.keyboard.press("Tab")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Providers", level=1).wait_for()
    await page.wait_for_url("**/console/providers")
    await page.go_back()
    await page.get_by_role("heading", name="Videos", level=1).wait_for()


async def test_an_address_of_no_page_says_so(console: Console) -> None:
    page = await console.open("/console/nowhere")

    assert await page.get_by_text("There is no page at this address").is_visible()


async def test_events_arrive_while_the_page_is_open_and_lead_to_their_videos(console: Console) -> None:
    page = await console.open("/console/events")
    await page.locator("#live[data-state=on]").wait_for()

    video_id = await console.service.make()
    await console.service.finish(video_id)

    await page.locator("#events-list li", has_text="video.ready").get_by_role("link").click()
    await page.locator("#detail-status", has_text="ready").wait_for()
    await page.wait_for_url(f"**/console/videos/{video_id}")


async def test_the_audit_log_shows_who_did_what_to_which_video(console: Console) -> None:
    video_id = await console.service.make()
    await console.service.finish(video_id)
    await console.service.http.post(f"/v1/videos/{video_id}/redeliver")
    page = await console.open("/console/audit")

    rows = page.locator("#audit-rows tr")
    await rows.filter(has_text="redelivered").filter(has_text=":local").wait_for()
    await rows.filter(has_text="submitted").get_by_role("link", name=video_id).click()
    await page.locator("#detail-id", has_text=video_id).wait_for()


async def test_operations_show_the_outbox_and_how_dead_letters_are_put_back(
    console: Console, broker: BrokerLink
) -> None:
    broker.dead_letters = 3
    await console.service.finish(await console.service.make())
    page = await console.open("/console/operations")

    await page.get_by_text("reelbus dead requeue").wait_for()
    assert await page.locator("#operations-body dt", has_text="unpublished").locator("+ dd").inner_text() == "1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_no_page_has_a_barrier_or_is_wider_than_the_screen(
    service: Receiver, browser: Browser, broker: BrokerLink, viewport: Any, scheme: Any
) -> None:
    video_id = await failed(service, metadata={"house": "12 Elm Street, a house with a name that is long" * 3})
    attempt = await attempt_of(service, video_id)
    await service.http.post(
        f"/webhooks/iacrea/{service.context.signer.webhook_token(attempt.id)}", json={"a": "b" * 300}
    )
    await service.http.post("/webhooks/iacrea/guessed", json={})
    service.context.shown_settings = [{"name": "REELBUS_PUBLIC_URL", "source": "environment", "value": "x" * 200}]
    await service.store.write(_learn)
    await service.finish(await service.make())
    await service.http.post("/v1/providers/homedesigns/pause")
    broker.connected, broker.last_error, broker.dead_letters = False, "connection refused", 2

    async with console_of(service, browser, viewport=viewport, color_scheme=scheme, reduced_motion="reduce") as console:
        page = console.page
        for path in [*PAGES, f"/console/videos/{video_id}"]:
            await console.open(path)
            if path.endswith(video_id):
                await page.locator(".timeline li").first.wait_for()
            await until_still(page)
            assert await _barriers(page) == [], path
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        await page.get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="New video").click()
        assert await _barriers(page) == []


def _learn(tx: Tx) -> None:
    plan = Plan()
    for second in range(20, 60):
        plan = plan.seen(second, second + 2)
    durations.save(tx, Provider("iacrea"), plan.dumps(), completions=40)


async def _barriers(page: Page) -> list[str]:
    found = (await Axe().run(page)).response["violations"]
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]
