"""The pages of documentation are dark where the system is, and ask no other host for anything."""

from typing import Any

import pytest
from playwright.async_api import Browser

from tests.console.browser import console_of
from tests.receiver.serving import Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

BRIGHTNESS = """() => {
  const [red, green, blue] = getComputedStyle(document.documentElement).backgroundColor.match(/[0-9.]+/g).map(Number);
  const body = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
  const shown = body.length === 4 && body[3] === 0 ? [red, green, blue] : body;
  return (shown[0] + shown[1] + shown[2]) / 3;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "shown"),
    [("/docs", "Make a video of a picture"), ("/docs/events", "video.ready"), ("/docs/problems", "not_ready")],
)
async def test_it_follows_the_system_and_stays_on_this_host(
    service: Service, browser: Browser, path: str, shown: str, scheme: Any
) -> None:
    async with console_of(service, browser, color_scheme=scheme) as console:
        await console.page.goto(service.context.settings.local_url + path)
        await console.page.get_by_text(shown).first.wait_for()
        brightness = await console.page.evaluate(BRIGHTNESS)
        assert console.outside == []
    assert brightness < 64 if scheme == "dark" else brightness > 240
