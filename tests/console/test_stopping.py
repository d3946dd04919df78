"""A video is stopped from its page: first what that may cost and what its provider promises, then what came of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jobs import cancelling
from jobs.assignment import route
from jobs.policy import Policy
from jobs.refunds import NOT_CHARGED
from jobs.submission_claims import claim
from jobs.submit import accepted, send
from providers.reports import Accepted, CancelAnswer, CancelResult
from schemas.names import Provider
from store import attempts
from store.transaction import Tx
from tests.console.browser import Console, until_text
from tests.support.receiver import Receiver, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def service(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with serving(tmp_path, replicate_token="token") as serving_:
        yield serving_


async def _at(service: Receiver, name: str) -> str:
    """Make a video that a provider has accepted."""
    video_id = await service.make(provider=name)
    now = service.context.now()
    policy = Policy(providers=(Provider(name),))

    def accept(tx: Tx) -> None:
        route(tx, policy, now=now)
        [attempt] = attempts.of_videos(tx, [video_id])[video_id]
        assert claim(tx, policy, attempt.provider, owner="us", room=5, now=now).work
        assert send(tx, attempt.id, owner="us", now=now)
        accepted(tx, policy, attempt, Accepted("job-1"), sent_at=now, now=now)

    await service.store.write(accept)
    return video_id


async def test_what_was_never_sent_ends_at_once_and_cannot_be_stopped_again(console: Console) -> None:
    video_id = await console.service.make()
    page = await console.open(f"/console/videos/{video_id}")
    button = page.get_by_role("button", name="Stop", exact=True)

    await button.click()
    dialog = page.get_by_role("dialog", name="Stop")
    assert "costs nothing" in await dialog.inner_text()
    await dialog.get_by_role("button", name="Cancel").click()
    await button.click()
    await dialog.get_by_role("button", name="Stop video").click()

    await page.get_by_text(
        "Stopping is done: cancelled before anything was sent to a provider. Credit: not charged"
    ).wait_for()
    await until_text(page, "#detail-status", "failed")
    await until_text(page, "#detail-body .trouble", "cancelled")
    await button.wait_for(state="hidden")
    entries = (await console.service.http.get("/v1/audit")).json()["items"]
    assert [entry["action"] for entry in entries].count("cancelled") == 1


async def test_a_provider_is_asked_to_stop_and_its_word_is_shown_when_it_comes(console: Console) -> None:
    video_id = await _at(console.service, "replicate")
    page = await console.open(f"/console/videos/{video_id}")
    button = page.get_by_role("button", name="Stop", exact=True)

    await button.click()
    dialog = page.get_by_role("dialog", name="Stop")
    asked = await dialog.inner_text()
    assert "replicate is asked to stop the job, and says for certain whether it did" in asked
    assert "`canceled` is for the time it ran" in asked
    await dialog.get_by_role("button", name="Stop video").click()
    await page.get_by_text("Stopping is wished").wait_for()
    await until_text(page, "#detail-body .facts", "its provider is asked, and its end will tell")
    await button.wait_for(state="hidden")

    def stopped(tx: Tx) -> None:
        [attempt] = attempts.of_videos(tx, [video_id])[video_id]
        answer = CancelAnswer(CancelResult.DONE, "it was stopped", NOT_CHARGED)
        assert cancelling.answered(tx, Policy(), attempt, answer, now=console.service.context.now())

    await console.service.store.write(stopped)
    await until_text(page, "#detail-body .facts", "its provider stopped it")


async def test_of_a_provider_that_cannot_be_asked_that_is_told_before_and_after(console: Console) -> None:
    video_id = await _at(console.service, "iacrea")
    page = await console.open(f"/console/videos/{video_id}")

    await page.get_by_role("button", name="Stop", exact=True).click()
    dialog = page.get_by_role("dialog", name="Stop")
    assert "iacrea cannot be asked to stop a job" in await dialog.inner_text()
    await dialog.get_by_role("button", name="Stop video").click()
    await page.get_by_text("Not done: iacrea may have the job and cannot be asked to stop it").wait_for()
    assert (await console.service.http.get(f"/v1/videos/{video_id}")).json()["cancellation"] is None


async def test_where_a_video_has_ended_there_is_nothing_to_stop(console: Console) -> None:
    video_id = await console.service.make()
    await console.service.finish(video_id)
    page = await console.open(f"/console/videos/{video_id}")
    await page.get_by_role("button", name="Redeliver event").wait_for()
    assert not await page.get_by_role("button", name="Stop", exact=True).is_visible()
