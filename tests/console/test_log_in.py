"""Where the service has API keys, the console asks for one, and does what its scopes allow."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from process.api_keys import digest_of
from schemas.scopes import Scope
from store import api_keys
from store.api_keys import StoredKey
from tests.console.browser import console_of, until_text
from tests.console.seeding import failed
from tests.support.receiver import Receiver, serving
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a key of sixteen characters"


@pytest_asyncio.fixture(loop_scope="module")
async def keyed(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with serving(tmp_path, api_keys=f"shop:{KEY}") as service:
        yield service


async def _log_in(page: Page, key: str) -> None:
    await page.get_by_label("API key").fill(key)
    await page.keyboard.press("Enter")


async def test_a_key_is_asked_for_and_kept_where_no_script_reads_it_until_logging_out(
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
        assert await page.evaluate("sessionStorage.length + localStorage.length") == 0
        await page.get_by_role("button", name="Close").click()
        await page.get_by_role("button", name="Log out").click()
        await page.get_by_role("dialog", name="Log in").wait_for()
        assert await page.context.cookies() == []


async def _made(service: Receiver, name: str, *scopes: Scope) -> str:
    """Make a key in the store, and wait until the service knows it."""
    key = f"a key of {name} in the tests"
    digest = digest_of(key.encode()).hex()
    await service.store.write(api_keys.add, StoredKey(name, digest, frozenset(scopes), None, time.time(), None, None))

    async def known() -> bool:
        answer = await service.http.get("/console/session", headers={"authorization": f"Bearer {key}"})
        return answer.status_code == 200

    await eventually(known)
    return key


async def _offered(page: Page) -> set[str]:
    """Give the names of the buttons, and of the pages, that are to be seen."""
    texts = await page.locator("button:visible, #pages a:visible").all_inner_texts()
    return {text.strip() for text in texts}


async def test_what_a_key_may_not_do_is_not_offered(keyed: Receiver, browser: Browser) -> None:
    video_id = await failed(keyed)
    reader = await _made(keyed, "reader", Scope.READ)
    clerk = await _made(keyed, "clerk", Scope.READ, Scope.SUBMIT, Scope.REDELIVER)
    offered = {}
    for key in (reader, clerk, KEY):
        async with console_of(keyed, browser) as console:
            page = console.page
            await page.goto(f"{keyed.context.settings.local_url}/console/videos/{video_id}")
            await _log_in(page, key)
            await until_text(page, "#detail-status", "failed")
            offered[key] = await _offered(page)
            await page.get_by_role("button", name="Close").click()
            await page.get_by_role("link", name="Providers", exact=True).click()
            await page.locator(".provider").first.wait_for()
            offered[key] |= await _offered(page)

    submitting, operating = {"New video", "Retry"}, {"Erase", "Audit", "Pause iacrea"}
    assert not offered[reader] & (submitting | operating | {"Redeliver event"})
    assert offered[clerk] >= submitting | {"Redeliver event"}
    assert not offered[clerk] & operating
    assert offered[KEY] >= submitting | operating | {"Redeliver event"}
    assert offered[reader] >= {"Videos", "Providers", "Log out"}


async def test_who_may_submit_may_stop_a_video_and_nobody_else(keyed: Receiver, browser: Browser) -> None:
    video_id = await keyed.make()
    may = {}
    for scope in (Scope.READ, Scope.SUBMIT, Scope.OPERATE):
        key = await _made(keyed, scope, *{Scope.READ, scope})
        async with console_of(keyed, browser) as console:
            await console.page.goto(f"{keyed.context.settings.local_url}/console/videos/{video_id}")
            await _log_in(console.page, key)
            await until_text(console.page, "#detail-status", "accepted")
            may[scope] = "Stop" in await _offered(console.page)
    assert may == {Scope.READ: False, Scope.SUBMIT: True, Scope.OPERATE: False}


async def test_a_session_whose_key_is_disabled_asks_for_another(keyed: Receiver, browser: Browser) -> None:
    made = await _made(keyed, "made", *Scope)
    async with console_of(keyed, browser) as console:
        page = console.page
        await page.goto(f"{keyed.context.settings.local_url}/console")
        await _log_in(page, made)
        await page.locator("#tiles .tile").first.wait_for()

        await keyed.store.write(api_keys.disable, "made", now=time.time())
        await until_text(page, "#key-faults", "your key was disabled or has expired")
        await _log_in(page, KEY)
        await page.get_by_role("dialog", name="Log in").wait_for(state="hidden")
        await page.locator("#live[data-state=on]").wait_for()
