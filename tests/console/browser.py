"""A real Chromium that knows this machine alone, and pages of it that note every error and every request."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Page, Request, async_playwright

from tests.support.receiver import Receiver

_PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

# Nothing is looked up and nothing is sent by the browser's own accord.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
_TIMEOUT_MS = 20_000
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@dataclass(slots=True)
class BrokerLink:
    """The link to a broker as a test says that it is."""

    connected: bool = True
    last_error: str | None = None
    dead_letters: int | None = 0
    commands: "BrokerLink | None" = None


@dataclass(eq=False)
class Console:
    """The console in a page of its own."""

    service: Receiver
    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    async def open(self, path: str = "/console") -> Page:
        """Open an address, and wait until the first look at the service is shown."""
        await self.page.goto(self.service.context.settings.local_url + path)
        await self.page.locator("#tiles .tile").first.wait_for()
        return self.page

    def note(self, request: Request) -> None:
        here = (self.service.context.settings.local_url + "/", "data:", "blob:")
        if not request.url.startswith(here):
            self.outside.append(request.url)

    def unexpected(self) -> list[str]:
        """Give the script's errors; that an answer was a refusal is the browser's own line, and no error of ours."""
        return [text for text in self.errors if not text.startswith("Failed to load resource")]


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    assert program, "there is no Chromium; run setup/browser.sh"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def console_of(service: Receiver, browser: Browser, **options: Any) -> AsyncIterator[Console]:
    """Give a console with a profile of its own; afterwards no error and no request to elsewhere may have been seen."""
    context = await browser.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(_TIMEOUT_MS)
    console = Console(service, await context.new_page())
    console.page.on("pageerror", lambda error: console.errors.append(str(error)))
    console.page.on("console", lambda line: console.errors.append(line.text) if line.type == "error" else None)
    console.page.on("request", console.note)
    try:
        yield console
        assert console.unexpected() == []
        assert console.outside == []
    finally:
        await context.close()


async def until_text(page: Page, selector: str, text: str) -> None:
    """Wait until an element shows a text."""
    await page.locator(selector).filter(has_text=text).first.wait_for()


async def until_still(page: Page) -> None:
    """Wait for two frames, in which all that was asked for is drawn."""
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await asyncio.sleep(0)
