"""The form for a new video: errors in people's words, and never a second payment for a second press."""

import pytest
from playwright.async_api import Page, Route

from tests.console.browser import Console, until_text
from tests.support.pictures import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _form(console: Console) -> Page:
    page = await console.open()
    await page.get_by_role("button", name="New video").click()
    return page


async def _videos(console: Console) -> list[dict[str, object]]:
    items: list[dict[str, object]] = (await console.service.http.get("/v1/videos")).json()["items"]
    return items


async def test_an_uploaded_picture_becomes_a_video_in_the_list(console: Console) -> None:
    page = await _form(console)
    await page.locator("#file").set_input_files(
        {"name": "house.png", "mimeType": "image/png", "buffer": picture(640, 512)}
    )
    await page.get_by_label("Motion").select_option("pan_left")
    await page.get_by_role("button", name="Make video").click()

    await page.locator("#videos tr", has_text="pan left").wait_for()
    assert [video["motion"] for video in await _videos(console)] == ["pan_left"]


async def test_faults_are_told_in_people_s_words_and_go_when_they_are_mended(console: Console) -> None:
    page = await _form(console)
    await page.get_by_role("button", name="Make video").click()
    await until_text(page, "#faults", "Choose a picture, or give its address.")

    await page.get_by_label("or its address").fill("ftp://example.com/x.png")
    assert await page.locator("#faults li").count() == 0
    await page.get_by_role("button", name="Make video").click()

    await until_text(page, "#faults", "Address of the picture:")
    assert await page.get_by_label("or its address").get_attribute("aria-invalid") == "true"
    assert await _videos(console) == []


async def test_a_press_after_a_lost_answer_makes_no_second_video(console: Console) -> None:
    page = await _form(console)
    lost: list[int] = []

    async def lose_the_first(route: Route) -> None:
        if lost or route.request.method != "POST":
            await route.continue_()
            return
        lost.append((await route.fetch()).status)
        await route.abort()

    await page.route("**/v1/videos", lose_the_first)
    await page.get_by_label("or its address").fill("https://example.com/house.jpg")
    await page.get_by_role("button", name="Make video").click()
    await until_text(page, "#faults", "The service did not answer. Nothing is lost: press again")
    await page.get_by_role("button", name="Make video").click()
    await page.locator("#submit").wait_for(state="hidden")

    assert lost == [202]
    assert len(await _videos(console)) == 1


async def test_the_next_form_makes_another_video(console: Console) -> None:
    page = await _form(console)
    for _ in range(2):
        await page.get_by_label("or its address").fill("https://example.com/house.jpg")
        await page.get_by_role("button", name="Make video").click()
        await page.locator("#submit").wait_for(state="hidden")
        await page.get_by_role("button", name="New video").click()

    assert len(await _videos(console)) == 2


async def test_a_form_that_was_changed_after_a_lost_answer_is_told_what_became_of_it(console: Console) -> None:
    page = await _form(console)
    await page.get_by_label("or its address").fill("https://example.com/house.jpg")

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/v1/videos", lose)
    await page.get_by_role("button", name="Make video").click()
    await until_text(page, "#faults", "press again")
    await page.unroute("**/v1/videos")
    await page.get_by_label("Prompt").fill("at dusk")
    await page.get_by_role("button", name="Make video").click()

    await until_text(page, "#faults", "An earlier press was accepted after all")
    assert len(await _videos(console)) == 1
