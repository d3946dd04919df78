"""The page of a provider tells how it is doing: state, webhooks, requests, durations, credits, newest videos."""

import pytest

from jobs.assignment import route
from jobs.durations import Plan
from jobs.policy import Policy
from schemas.names import Provider
from store import answer_shapes, attempts, durations
from store.answer_shapes import AnswerShape
from store.attempts import AttemptState
from store.transaction import Tx
from tests.console.browser import Console, until_text
from tests.console.seeding import failed

pytestmark = pytest.mark.asyncio(loop_scope="module")

IACREA = ".provider[data-provider=iacrea]"


async def test_the_learnt_durations_are_drawn_and_told_in_words(console: Console) -> None:
    plan = Plan()
    for second in range(30, 90):
        plan = plan.seen(second, second + 1)

    def learn(tx: Tx) -> None:
        durations.save(tx, Provider("iacrea"), plan.dumps(), completions=60)

    await console.service.store.write(learn)
    page = await console.open("/console/providers/iacrea")

    chart = page.get_by_role("img", name="How many are over by when")
    await chart.wait_for()
    told = await chart.get_attribute("aria-label")
    assert told is not None
    assert "50 % within 6" in told
    assert await chart.locator("polyline").count() == 1
    assert await page.locator(IACREA).get_by_text("within 8").count() == 1


async def test_webhooks_requests_and_failures_of_a_provider_are_told(console: Console) -> None:
    await failed(console.service)
    page = await console.open("/console/providers")

    await until_text(page, IACREA, "None of its videos has ended well yet.")
    await until_text(page, IACREA, "provider unavailable 1")
    await until_text(page, IACREA, "may be made at once")
    await until_text(page, IACREA, "It has accepted no submission yet.")
    await until_text(page, IACREA, "Too few jobs have ended to learn from.")
    await until_text(page, ".provider[data-provider=homedesigns]", "It calls nobody back")


async def test_new_answers_of_a_provider_are_one_link_away_and_those_of_all_another(console: Console) -> None:
    def add(tx: Tx) -> None:
        for name, word in (("iacrea", "PAUSED"), ("homedesigns", "asleep")):
            body = f'{{"status": "{word}"}}'
            row = AnswerShape(
                Provider(name), f"shape {word}", 200, "application/json", body, "working", "1", 1.0, 2.0, 7
            )
            answer_shapes.add(tx, row)

    await console.service.store.write(add)
    page = await console.open("/console/providers/iacrea")
    await page.get_by_role("link", name="New answers").click()
    row = page.locator("#drift-rows tr")
    await row.filter(has_text="iacrea").wait_for()
    assert await row.count() == 1
    await row.locator("summary").click()
    assert "PAUSED" in await row.locator("pre").inner_text()

    await page.get_by_role("link", name="Of all providers").click()
    await row.filter(has_text="homedesigns").wait_for()
    assert await row.count() == 2


async def test_how_soon_a_provider_answers_is_told(console: Console) -> None:
    video_id, now = await console.service.make(provider="iacrea"), console.service.context.now()

    def answer(tx: Tx) -> None:
        route(tx, Policy(), now=now)
        [attempt] = attempts.of_videos(tx, [video_id])[video_id]
        times = {"submitted_at": now, "accepted_at": now + 0.25}
        attempts.change(tx, attempt.id, AttemptState.GENERATING, times, from_states=set(AttemptState))

    await console.service.store.write(answer)
    page = await console.open("/console/providers/iacrea")
    await until_text(page, f"{IACREA} section:has(h3:text-is('Answers'))", "within 250 ms")
