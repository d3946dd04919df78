"""Operators read on the console what providers sent, what was refused, and how the service is set."""

import json

import pytest

from receiver.deliveries import SHOWN_BYTES
from store.webhooks import KEPT_OF_AN_ATTEMPT
from tests.console.browser import Console
from tests.receiver.test_operating import attempt_of, generating

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _send(console: Console, video_id: str, **body: object) -> None:
    attempt = await attempt_of(console.service, video_id)
    token = console.service.context.signer.webhook_token(attempt.id)
    assert (await console.service.http.post(f"/webhooks/iacrea/{token}", json=body)).status_code == 200


async def test_webhooks_are_shown_as_they_come_with_the_way_to_their_videos(console: Console) -> None:
    video_id = await generating(console.service)
    await _send(console, video_id, status="<b>first</b>")
    page = await console.open("/console/webhooks")
    rows = page.locator("#webhook-rows tr")
    await rows.nth(0).wait_for()
    assert await rows.nth(0).get_by_text("not yet").is_visible(), "nobody acts on it here"

    await rows.nth(0).locator("summary").focus()
    await page.keyboard.press("Enter")
    assert json.loads(await rows.nth(0).locator("pre").inner_text()) == {"status": "<b>first</b>"}
    await _send(console, video_id, status="second")
    await rows.nth(1).wait_for()

    assert await rows.nth(1).locator("pre").is_visible(), "what was opened stays open while rows come"
    await rows.nth(0).get_by_role("link", name=video_id).click()
    await page.locator("#detail-id", has_text=video_id).wait_for()


async def test_older_webhooks_are_read_on_request(console: Console) -> None:
    video_id = await generating(console.service)
    for number in range(60):
        await _send(console, video_id, number=number)
    page = await console.open("/console/webhooks")
    rows = page.locator("#webhook-rows tr")
    await rows.nth(49).wait_for()

    await page.get_by_role("button", name="Show older").click()
    await rows.nth(59).wait_for()
    assert await page.get_by_role("button", name="Show older").is_hidden()


async def test_refused_webhooks_are_shown_with_why(console: Console) -> None:
    page = await console.open("/console/webhooks")
    await page.get_by_text("No webhook has come.").wait_for()
    await page.get_by_text("None was refused.").wait_for()

    await console.service.http.post("/webhooks/iacrea/guessed-token", json={})

    row = page.locator("#refused-rows tr")
    await row.filter(has_text="its token is not ours").filter(has_text="127.0.0.1").wait_for()
    assert "guessed" not in await page.content()


async def test_settings_are_shown_with_where_they_come_from_and_without_secrets(console: Console) -> None:
    console.service.context.shown_settings = [
        {"name": "REELBUS_POLL_MIN", "source": "default", "value": 5.0},
        {"name": "REELBUS_PROVIDERS", "source": ".env", "value": ["iacrea", "homedesigns"]},
        {"name": "REELBUS_IACREA_API_KEY", "source": "environment", "value": "***"},
        {"name": "REELBUS_PUBLIC_URL", "source": "default", "value": None},
    ]
    page = await console.open("/console/settings")
    await page.locator("#settings-rows tr").nth(3).wait_for()

    shown = [line.split("\t") for line in await page.locator("#settings-rows tr").all_inner_texts()]
    assert [[cell.strip() for cell in row] for row in shown] == [
        ["REELBUS_PROVIDERS", '["iacrea","homedesigns"]', ".env"],
        ["REELBUS_IACREA_API_KEY", "set, hidden", "environment"],
        ["REELBUS_POLL_MIN", "5", "default"],
        ["REELBUS_PUBLIC_URL", "not set", "default"],
    ]


async def test_it_is_said_how_much_of_webhooks_is_kept(console: Console) -> None:
    page = await console.open("/console/webhooks")
    said = await page.locator("#webhooks-limits").inner_text()
    assert f"{SHOWN_BYTES // 1024} KiB shown" in said
    assert f"the newest {KEPT_OF_AN_ATTEMPT} stay" in said
    assert "REELBUS_RETENTION_DAYS" in said
