"""Operations show who takes events from RabbitMQ."""

import pytest

from tests.console.browser import Console
from tests.support.subscriptions import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_operations_show_who_is_bound_who_consumes_and_what_nobody_hears(console: Console) -> None:
    console.service.context.subscriptions = Desk()
    page = await console.open("/console/operations")

    await page.locator("#subscriptions tr", has_text="shop").filter(has_text="video.ready.*").wait_for()
    await page.get_by_text("Nobody is bound to video.failed.iacrea").wait_for()
    link = page.locator("#subscriptions a")
    assert await link.get_attribute("href") == "http://127.0.0.1:15672"


async def test_operations_say_so_where_nobody_can_tell_who_is_bound(console: Console) -> None:
    console.service.context.subscriptions = Desk(fault="no management API answers at http://127.0.0.1:15672")
    page = await console.open("/console/operations")

    await page.get_by_text("Nobody can say who takes events: no management API").wait_for()
