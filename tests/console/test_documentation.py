"""The pages of documentation are dark where the system is, and get nothing from any other host."""

from typing import Any

import pytest
from playwright.async_api import Browser, Request

from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

BRIGHTNESS = """() => {
  const colour = (element) => getComputedStyle(element).backgroundColor.match(/[0-9.]+/g).map(Number);
  const body = colour(document.body);
  const [red, green, blue] = body[3] === 0 ? colour(document.documentElement) : body;
  return (red + green + blue) / 3;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "shown"),
    [("/docs", "Make a video of a picture"), ("/docs/events", "video.ready"), ("/docs/problems", "not_ready")],
)
async def test_it_follows_the_system_and_nothing_leaves_this_host(
    service: Receiver, browser: Browser, path: str, shown: str, scheme: Any
) -> None:
    here = service.context.settings.local_url
    left: list[str] = []

    def note(request: Request) -> None:
        # The page's policy stops what its viewer would like to have from elsewhere before anything is sent.
        if not request.url.startswith((here + "/", "data:", "blob:")) and request.failure != "csp":
            left.append(request.url)

    context = await browser.new_context(color_scheme=scheme)
    try:
        page = await context.new_page()
        page.on("requestfinished", note)
        page.on("requestfailed", note)
        await page.goto(here + path)
        await page.get_by_text(shown).first.wait_for()
        await page.wait_for_load_state("networkidle")
        brightness = await page.evaluate(BRIGHTNESS)
    finally:
        await context.close()
    assert brightness < 64 if scheme == "dark" else brightness > 240
    assert left == []
