"""A signed callback that is a whole report settles its job without a question; one with a flaw only wakes."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from jobs import accept, assignment, check_claims, submission_claims, submit
from jobs import clock as clock_rules
from jobs.policy import Policy
from jobs.results import Proven, Unproven
from poller.checking import Checker
from process.clock import ClockWatch
from providers.base import ProviderClient
from providers.capabilities import Given
from providers.kling.client import build
from providers.parsing.webhook_hints import read_webhook
from providers.registry import capabilities
from providers.reports import Accepted
from sandbox.kit.kling import StandIn
from sandbox.kit.serving import serving
from schemas.names import DetectedBy, Provider, ProviderChoice
from store import attempts
from store import webhooks as stored_webhooks
from store.attempts import AttemptRow, AttemptState
from store.database import Store
from store.transaction import Tx
from store.webhooks import Delivery
from tests.providers.orders import PATIENT, Marker, an_order
from tests.support.job_scenario import REQUEST
from tests.support.stores import url_of

KLING = Provider("kling")
POLICY = Policy(providers=(KLING,))


async def unasked(attempt: AttemptRow, urls: tuple[str, ...]) -> Proven | Unproven:
    """Prove nothing: no such provider's results are proven here."""
    raise AssertionError(f"{attempt.id} was to be proven at {urls}")


@dataclass
class PollerOfOneProvider:
    """A poller of one provider with a real client, its stand-in and a store."""

    store: Store
    client: ProviderClient
    stand_in: StandIn
    checker: Checker
    job: str = ""

    async def sending(self, story: str) -> AttemptRow:
        """Have an attempt sent whose job goes as the story says."""
        now = time.time()
        attempt = await self.store.write(self._sent, now)
        self.stand_in.plan(story)
        await self.client.submit(replace(an_order(), name=attempt.id), before_first_byte=Marker())
        [self.job] = self.stand_in.jobs
        return attempt

    def _sent(self, tx: Tx, now: float) -> AttemptRow:
        accept.accept(tx, replace(REQUEST, choice=ProviderChoice(KLING)), str, now=now)
        assignment.route(tx, POLICY, now=now)
        [(attempt, _)] = submission_claims.claim(tx, POLICY, KLING, owner="generator", room=1, now=now).work
        submit.send(tx, attempt.id, owner="generator", now=now)
        return attempt

    async def called(self, attempt: AttemptRow, flaw: str = "") -> AttemptRow:
        """Have a webhook come, and look at what it makes due."""
        headers, body = self.stand_in.delivery(self.job, flaw)
        kept = {name: value for name, value in headers.items() if name in capabilities(KLING).webhook_headers}
        now = time.time()
        await self.store.write(stored_webhooks.record, [Delivery(attempt.id, body, len(body), None, kept)], now=now)
        claimed = await self.store.write(check_claims.claim, POLICY, KLING, owner="poller", room=1, now=now)
        for found in claimed.work:
            await self.checker.check(self.client, found)
        current = await self.store.read(attempts.get, attempt.id)
        assert current is not None
        return current

    @property
    def questions(self) -> int:
        """Count how often the provider was asked about tasks."""
        return self.stand_in.asked.count(("GET", "/tasks"))


@pytest.fixture
async def poller(tmp_path: Path) -> AsyncIterator[PollerOfOneProvider]:
    stand_in = StandIn()
    async with serving(stand_in):
        options = {each.name: each.default for each in capabilities(KLING).options}
        given = Given(stand_in.base_url, stand_in.credentials, PATIENT, False, options)  # noqa: FBT003
        client = build(given, lambda _: None)
        store = await Store.open(url_of(tmp_path / "reelbus.db"))
        clock = ClockWatch(store.write, clock_rules.mend)
        yield PollerOfOneProvider(
            store, client, stand_in, Checker(store, POLICY, "poller", read_webhook, unasked, clock)
        )
        await store.close()
        await client.close()


async def accepted(poller: PollerOfOneProvider, story: str) -> AttemptRow:
    attempt = await poller.sending(story)
    now = time.time()
    await poller.store.write(submit.accepted, POLICY, attempt, Accepted(poller.job), sent_at=now, now=now)
    return attempt


async def test_a_signed_report_settles_a_job_without_a_question(poller: PollerOfOneProvider) -> None:
    ended = await poller.called(await accepted(poller, "ok"))
    assert (ended.state, ended.detected_by) == (AttemptState.SUCCEEDED, DetectedBy.WEBHOOK)
    assert ended.output_urls == (f"https://video.example/{poller.job}.mp4",)
    assert poller.questions == 0


async def test_a_signed_report_tells_the_price_of_a_failure(poller: PollerOfOneProvider) -> None:
    ended = await poller.called(await accepted(poller, "billed-nothing"))
    assert (ended.state, ended.refund_status) == (AttemptState.FAILED, "not_charged")
    assert poller.questions == 0


@pytest.mark.parametrize("flaw", ["unsigned", "changed", "old", "garbled"])
async def test_a_bad_signature_on_a_right_address_is_a_wake_up(poller: PollerOfOneProvider, flaw: str) -> None:
    ended = await poller.called(await accepted(poller, "ok"), flaw)
    assert ended.state is AttemptState.SUCCEEDED
    assert poller.questions == 1


async def test_a_signed_webhook_of_another_job_settles_nothing(poller: PollerOfOneProvider) -> None:
    attempt = await accepted(poller, "running")
    poller.stand_in.plan("ok")
    await poller.client.submit(replace(an_order(), name="another"), before_first_byte=Marker())
    poller.job = list(poller.stand_in.jobs)[-1]
    current = await poller.called(attempt)
    assert current.state is AttemptState.GENERATING
    assert poller.questions == 1


async def test_a_signed_webhook_proves_a_lost_submission_and_settles_it(poller: PollerOfOneProvider) -> None:
    attempt = await poller.sending("drop")
    now = time.time()
    await poller.store.write(submit.mark_outcome_unknown, POLICY, attempt, "no answer came", owner="generator", now=now)
    ended = await poller.called(attempt)
    assert (ended.state, ended.provider_job_id) == (AttemptState.SUCCEEDED, poller.job)
    assert poller.questions == 0
