"""What the service knows can be mended from the console: parked commands, and a video that nobody has looked at."""

import pytest

from tests.console.browser import Console
from tests.receiver.test_operating import attempt_of, generating
from tests.support.parked import Parked, letter

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_parked_command_is_put_back_and_another_dropped_after_a_question(console: Console) -> None:
    console.service.context.dead_commands = parked = Parked({"a1": letter("a1"), "b2": letter("b2")})
    page = await console.open("/console/operations")
    rows = page.locator("#dead-rows tr")
    await rows.nth(1).wait_for()

    await rows.nth(0).get_by_role("button", name="Put back").click()
    await page.get_by_role("button", name="Put command back").click()
    await page.get_by_text("The command is back in its queue.").wait_for()
    await page.locator("#dead-rows tr:nth-child(2)").wait_for(state="detached")
    assert parked.back == ["a1"]

    await rows.nth(0).get_by_role("button", name="Drop").click()
    await page.get_by_role("button", name="Cancel").click()
    assert list(parked.there) == ["b2"], "a cancelled question does nothing"
    await rows.nth(0).get_by_role("button", name="Drop").click()
    await page.get_by_role("button", name="Drop command").click()
    await page.locator("#dead-commands").wait_for(state="hidden")
    assert parked.there == {}


async def test_a_video_in_work_is_checked_now(console: Console) -> None:
    video_id = await generating(console.service)
    page = await console.open(f"/console/videos/{video_id}")

    await page.get_by_role("button", name="Check now").click()
    await page.get_by_text("The provider is being asked.").wait_for()
    attempt = await attempt_of(console.service, video_id)
    assert attempt.due_at is not None
    assert attempt.due_at <= console.service.context.now()
