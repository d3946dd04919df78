"""One video: its address, its picture, its time, and what can be done with it."""

import pytest

from jobs.refunds import UNKNOWN
from tests.console.browser import Console
from tests.console.seeding import failed, publish_all

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_video_s_address_opens_it_and_closing_leads_to_the_filtered_list(console: Console) -> None:
    video_id = await failed(console.service)
    page = await console.open(f"/console/videos/{video_id}?status=failed")

    await page.get_by_text("it was away").first.wait_for()
    assert await page.get_by_role("img", name="Timeline: 1 attempt").is_visible()
    assert await page.locator(".time-picture circle").count() == await page.locator(".timeline li").count() + 4
    await page.keyboard.press("Escape")

    await page.locator("#detail").wait_for(state="hidden")
    await page.wait_for_url("**/console?status=failed")


async def test_an_address_of_no_video_says_so_and_can_be_closed(console: Console) -> None:
    page = await console.open("/console/videos/00000000-0000-7000-8000-000000000000")

    await page.get_by_text("There is no video of this id").wait_for()
    await page.get_by_role("button", name="Close").click()
    await page.locator("#detail").wait_for(state="hidden")


async def test_a_caller_s_picture_is_fetched_on_a_click_and_not_before(console: Console) -> None:
    video_id = await console.service.make(image_url="https://example.com/house.jpg")
    page = await console.open(f"/console/videos/{video_id}")
    button = page.get_by_role("button", name="show the picture from example.com")
    await button.wait_for()
    assert console.outside == []

    await button.click()
    await page.get_by_text("the picture cannot be shown").wait_for()
    assert console.outside == ["https://example.com/house.jpg"]
    console.outside.clear()


async def test_what_is_shown_follows_the_video_and_keeps_the_focus(console: Console) -> None:
    video_id = await console.service.make()
    page = await console.open(f"/console/videos/{video_id}")
    await page.locator("#live[data-state=on]").wait_for()
    button = page.get_by_role("button", name="show the picture")
    await button.focus()

    await console.service.finish(video_id)
    await page.locator("#detail-status", has_text="ready").wait_for()
    await page.locator(".timeline li").nth(1).wait_for()

    assert await button.evaluate("(element) => element === document.activeElement")


async def test_an_event_is_redelivered_after_it_was_confirmed(console: Console) -> None:
    video_id = await console.service.make()
    await console.service.finish(video_id)
    page = await console.open(f"/console/videos/{video_id}")

    await page.get_by_role("button", name="Redeliver event").click()
    await page.get_by_role("dialog", name="Redeliver").get_by_role("button", name="Redeliver event").click()
    await page.get_by_text("The video is published again").wait_for()

    entries = (await console.service.http.get("/v1/audit")).json()["items"]
    assert [entry["action"] for entry in entries].count("redelivered") == 1


async def test_a_video_is_erased_after_that_was_confirmed_and_leaves_the_list(console: Console) -> None:
    erased, kept = await console.service.make(), await console.service.make()
    await console.service.finish(erased)
    page = await console.open(f"/console/videos/{erased}")

    await page.get_by_role("button", name="Erase", exact=True).click()
    await page.get_by_role("dialog", name="Erase").get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Erase", exact=True).click()
    await page.get_by_role("button", name="Erase video").click()
    await page.get_by_text("Not done: the broker has not confirmed all the video's events yet").wait_for()
    assert (await console.service.http.get(f"/v1/videos/{erased}")).status_code == 200

    await publish_all(console.service, erased)
    await page.get_by_role("button", name="Erase", exact=True).click()
    await page.get_by_role("button", name="Erase video").click()

    await page.locator(f"tr[data-id='{erased}']").wait_for(state="detached")
    await page.locator("#detail").wait_for(state="hidden")
    assert await page.locator(f"tr[data-id='{kept}']").count() == 1
    assert (await console.service.http.get(f"/v1/videos/{erased}")).status_code == 404


async def test_retrying_leads_to_the_new_video_and_back_to_the_old_one(console: Console) -> None:
    video_id = await failed(console.service)
    page = await console.open(f"/console/videos/{video_id}")

    await page.get_by_role("button", name="Retry", exact=True).click()
    await page.get_by_role("button", name="Retry video").click()
    await page.locator("#detail-body").get_by_role("link", name=video_id).click()
    await page.locator("#detail-id", has_text=video_id).wait_for()


async def test_what_may_be_paid_twice_is_asked_about_once_more(console: Console) -> None:
    video_id = await failed(console.service, UNKNOWN)
    page = await console.open(f"/console/videos/{video_id}")

    for last in ("Cancel", "Retry and accept the risk"):
        await page.get_by_role("button", name="Retry", exact=True).click()
        await page.get_by_role("button", name="Retry video").click()
        risk = page.get_by_role("dialog", name="This may pay twice")
        await risk.get_by_role("button", name=last).click()
        if last == "Cancel":
            assert len((await console.service.http.get("/v1/videos")).json()["items"]) == 1
    await page.locator("#detail-body").get_by_role("link", name=video_id).wait_for()
    assert len((await console.service.http.get("/v1/videos")).json()["items"]) == 2
