"""The search for the proof that a lost submission was accepted: a webhook that names a job which the provider knows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jobs import lookups, schedule, unconfirmed
from jobs.policy import Policy
from poller.signed import SignedWebhooks
from process import metrics
from process.clock import ClockWatch
from process.failpoints import failpoint
from providers.base import LostSubmission, ProviderClient
from providers.reports import (
    Doubtful,
    Failed,
    Found,
    Handle,
    NotFound,
    Ready,
    Report,
    Unavailable,
    UnknownJob,
    WebhookHint,
    WebhookReading,
    Working,
)
from schemas.names import ErrorCode
from store.attempts import AttemptRow, AttemptState
from store.database import Store

ReadWebhook = Callable[[bytes], WebhookHint]
"""Reads what an unsigned webhook body claims; never raises."""

_READ_AT_ONCE = 16 * 1024
"""Bytes of bodies that may be read on the event loop; more are read in a thread."""


@dataclass(frozen=True, slots=True)
class Prover:
    """Asks about the jobs that webhooks of an attempt name; `owner` has claimed it."""

    store: Store
    policy: Policy
    owner: str
    read_webhook: ReadWebhook
    clock: ClockWatch
    ask: Callable[[ProviderClient, AttemptRow, Handle], Awaitable[Report]]
    signed: SignedWebhooks

    async def seek(self, client: ProviderClient, attempt: AttemptRow) -> None:
        """Look once whether a webhook proves that a submission was accepted; without proof, wait on."""
        readings = await self.signed.readings(client, attempt)
        if await self._is_proven(attempt, readings):
            return
        hints = await self._hints(attempt, readings)
        named = await self.store.read(unconfirmed.unclaimed_ids, attempt, unconfirmed.named(hints))
        asked = 0
        for job_id in unconfirmed.in_turn(attempt, named):
            if asked and not await self._may_ask_again(client):
                break
            asked += 1
            report = await self.ask(client, attempt, Handle(job_id))
            if _knows_the_job(report):
                await self._write(unconfirmed.confirm_job, attempt, Handle(job_id), report, owner=self.owner)
                return
        if attempt.state is AttemptState.UNCONFIRMED and schedule.can_be_asked_for(attempt.provider):
            await self._look_up(client, attempt)
            return
        await self._without_proof(attempt, hints, named=len(named), asked=asked)

    async def _look_up(self, client: ProviderClient, attempt: AttemptRow) -> None:
        """Ask the provider itself for a submission whose answer was lost."""
        answer = await client.lookup(LostSubmission(attempt.id, attempt.submitted_at or 0.0))
        metrics.lookups.labels(client.name, type(answer).__name__.lower()).inc()
        await failpoint("lookup answered")
        match answer:
            case Found(job, report):
                await self._write(unconfirmed.confirm_job, attempt, job, report, owner=self.owner)
            case NotFound():
                await self._write(lookups.not_found, attempt, answer, owner=self.owner)
            case Unavailable():
                await self._write(lookups.retry_lookup, attempt, owner=self.owner)

    async def _is_proven(self, attempt: AttemptRow, readings: list[WebhookReading]) -> bool:
        """Go on with the job that a signed webhook names; say whether there was one."""
        for reading in readings:
            if reading.proves and reading.job is not None:
                report = reading.report or Working()
                if await self.store.read(unconfirmed.unclaimed_ids, attempt, [reading.job.id]):
                    await self._write(unconfirmed.confirm_job, attempt, reading.job, report, owner=self.owner)
                    return True
        return False

    async def _hints(self, attempt: AttemptRow, readings: list[WebhookReading]) -> list[WebhookHint]:
        """Find the jobs that bodies name which prove nothing."""
        if readings:
            return [WebhookHint((reading.job.id,), ()) for reading in readings if reading.job is not None]
        bodies = [kept.body or b"" for kept in await self.store.read(unconfirmed.telling, attempt.id)]
        return await self._read(bodies)

    async def _read(self, bodies: list[bytes]) -> list[WebhookHint]:
        if sum(map(len, bodies)) <= _READ_AT_ONCE:
            return [self.read_webhook(body) for body in bodies]
        return await asyncio.to_thread(lambda: [self.read_webhook(body) for body in bodies])

    async def _may_ask_again(self, client: ProviderClient) -> bool:
        return await self.store.write_unsynced(unconfirmed.may_ask, self.policy, client.name, now=self.store.now())

    async def _without_proof(self, attempt: AttemptRow, hints: list[WebhookHint], *, named: int, asked: int) -> None:
        urls = next((hint.succeeded_urls for hint in hints if hint.succeeded_urls), ())
        if attempt.state is AttemptState.FAILED:
            await self._write(unconfirmed.watch_on, attempt, owner=self.owner, named=named, asked=asked)
        elif self.policy.trust_webhook_body and urls and not named:
            await self._write(unconfirmed.accept_unverified, attempt, urls)
        else:
            await self._write(unconfirmed.keep_waiting, attempt, owner=self.owner, named=named, asked=asked)

    async def _write(self, work: Callable[..., None], attempt: AttemptRow, *args: object, **kwargs: object) -> None:
        await self.clock.decide(self.store.write_small, work, self.policy, attempt, *args, **kwargs)


def _knows_the_job(report: Report) -> bool:
    match report:
        case Working() | Ready() | Failed():
            return True
        case Doubtful(code=code):
            return code is ErrorCode.RESULT_INVALID
        case UnknownJob() | Unavailable():
            return False
