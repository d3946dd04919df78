"""Where the service has API keys, the console asks for one, and does what its scopes allow."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.console.browser import console_of, until_text
from tests.support.receiver import Receiver, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a key of sixteen characters"


@pytest_asyncio.fixture(loop_scope="module")
async def keyed(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with serving(tmp_path, api_keys=f"shop:{KEY}") as service:
        yield service


async def _log_in(page: Page, key: str) -> None:
    await page.get_by_label("API key").fill(key)
    await page.keyboard.press("Enter")


async def test_a_key_is_asked_for_kept_for_the_tab_and_forgotten_by_logging_out(
    keyed: Receiver, browser: Browser
) -> None:
    video_id = await keyed.make()
    async with console_of(keyed, browser) as console:
        page = console.page
        await page.goto(f"{keyed.context.settings.local_url}/console/videos/{video_id}")
        await _log_in(page, "a wrong key of the tests")
        await until_text(page, "#key-faults", "That key was not accepted")
        await _log_in(page, KEY)
        await until_text(page, "#detail-status", "accepted")
        await page.locator("#live[data-state=on]").wait_for()

        await page.reload()
        await until_text(page, "#detail-status", "accepted")
        assert await page.evaluate("document.cookie") == ""
        await page.get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="Log out").click()
        await page.get_by_role("dialog", name="Log in").wait_for()
        assert await page.evaluate("Object.keys(sessionStorage).length") == 0
