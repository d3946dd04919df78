"""Whoever leaves the mouse alone moves through the lists by single keys, and can switch them off."""

import pytest

from tests.console.browser import Console
from tests.console.seeding import many

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOCUSED = "document.activeElement.closest('tr')?.dataset.id ?? document.activeElement.id"


async def test_keys_move_through_the_videos_open_one_and_go_to_the_search(console: Console) -> None:
    ids = await many(console.service, 3)
    page = await console.open()
    await page.locator("#videos tr").nth(2).wait_for()

    for key, focused in (("j", ids[0]), ("j", ids[1]), ("j", ids[2]), ("j", ids[2]), ("k", ids[1])):
        await page.keyboard.press(key)
        assert await page.evaluate(FOCUSED) == focused
    await page.keyboard.press("o")
    await page.locator("#detail-id", has_text=ids[1]).wait_for()
    await page.keyboard.press("j")
    await page.keyboard.press("Escape")
    await page.locator("#detail").wait_for(state="hidden")
    await page.keyboard.press("/")
    assert await page.evaluate(FOCUSED) == "filter-search"
    await page.keyboard.type("jro")
    assert await page.get_by_role("searchbox").input_value() == "jro", "keys that are typed do nothing else"


async def test_r_has_the_event_of_the_video_published_again_after_a_question(console: Console) -> None:
    video_id = await console.service.make()
    await console.service.finish(video_id)
    page = await console.open()
    await page.locator("#videos tr").first.wait_for()

    await page.keyboard.press("j")
    await page.keyboard.press("r")
    await page.get_by_role("button", name="Cancel").click()
    assert not await page.locator("#confirm").is_visible()
    await page.keyboard.press("o")
    await page.locator("#detail-redeliver").wait_for()
    await page.keyboard.press("r")
    await page.locator("#confirm-yes").click()
    await page.locator("#detail-announcements", has_text="again").wait_for()


async def test_keys_can_be_switched_off_and_stay_so(console: Console) -> None:
    await console.service.make()
    page = await console.open()
    await page.locator("#videos tr").first.wait_for()

    await page.get_by_role("button", name="Switch keys off").click()
    await page.reload()
    await page.locator("#videos tr").first.wait_for()
    await page.keyboard.press("/")
    assert await page.evaluate(FOCUSED) != "filter-search"
    await page.get_by_role("button", name="Switch keys on").click()
    await page.keyboard.press("/")
    assert await page.evaluate(FOCUSED) == "filter-search"
