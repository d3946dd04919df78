"""A browser that whole modules share, and a console over a receiver of a test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from tests.console.browser import BrokerLink, Console, console_of, running_browser
from tests.support.receiver import Receiver, serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def broker() -> BrokerLink:
    return BrokerLink(commands=BrokerLink())


@pytest_asyncio.fixture(loop_scope="module")
async def service(tmp_path: Path, broker: BrokerLink) -> AsyncIterator[Receiver]:
    async with serving(tmp_path, broker=broker) as serving_:
        yield serving_


@pytest_asyncio.fixture(loop_scope="module")
async def console(service: Receiver, browser: Browser) -> AsyncIterator[Console]:
    async with console_of(service, browser) as opened:
        yield opened
