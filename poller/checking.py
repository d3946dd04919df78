"""One check from claim to settlement."""

import time
from dataclasses import dataclass, field

import structlog

from jobs import cancelling, check, decide, learning, unconfirmed
from jobs.decide import AttemptSucceeded, CheckAgain, Decision
from jobs.learning import Observation
from jobs.overdue import Watch
from jobs.policy import Policy
from jobs.results import Finding, claimed_addresses
from jobs.settle import AttemptFailed
from poller.log_lines import log_answer
from poller.proving import Prover, ReadWebhook
from poller.results import Prove
from poller.signed import SignedWebhooks
from poller.tracing import check_span, known_trace, record_settling, trace_of
from process import metrics, tracing
from process.clock import ClockWatch
from process.failpoints import failpoint
from process.provider_log import ProviderLog
from providers.base import ProviderClient
from providers.http.seen import WatchAnswers, watch_nothing, watched_answers
from providers.registry import capabilities
from providers.reports import Handle, Ready, Report, Working
from schemas.names import DetectedBy
from schemas.trace import NO_TRACE, Trace
from store.attempts import AttemptRow, AttemptState
from store.database import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks attempts that `owner` has claimed."""

    store: Store
    policy: Policy
    owner: str
    read_webhook: ReadWebhook
    prove: Prove
    clock: ClockWatch
    lessons: list[Observation] = field(default_factory=list)
    """What was learnt of the providers' durations and is not stored yet."""
    watch: Watch = field(default_factory=Watch)
    """What is known of the looks that are under way."""
    providers: ProviderLog = field(default_factory=ProviderLog)
    answered: WatchAnswers = watch_nothing
    """Told what each check was answered, and what each signed webhook said."""

    async def check(self, client: ProviderClient, attempt: AttemptRow) -> bool:
        """Ask about one attempt and apply the answer; say whether that ended it."""
        await failpoint("check claimed")
        metrics.check_delay_seconds.labels(client.name).observe(max(0.0, self.store.now() - (attempt.due_at or 0)))
        claimed = claimed_addresses(attempt)
        if attempt.provider_job_id is not None or claimed is not None:
            decision, trace = await self._ask(client, attempt, claimed)
        else:
            await self._prover().seek(client, attempt)
            decision, trace = None, NO_TRACE
        await failpoint("settled")
        if decision is None or isinstance(decision, CheckAgain):
            return False
        with tracing.log_of(trace):
            _count(attempt, decision, now=self.store.now())
        return True

    def _prover(self) -> Prover:
        webhooks = SignedWebhooks(self.store, self.answered)
        return Prover(self.store, self.policy, self.owner, self.read_webhook, self.clock, self._report, webhooks)

    async def _ask(
        self, client: ProviderClient, attempt: AttemptRow, claimed: Ready | None
    ) -> tuple[Decision | None, Trace]:
        """Ask about an attempt and apply the answer; give what was decided, and the trace that its video belongs to."""
        asked_at = self.store.now()
        trace = await trace_of(self.store, attempt)
        with check_span(attempt, trace):
            report = claimed or await self._answer(client, attempt)
        stopped = await self._stopped(client, attempt, report)
        if stopped is not None:
            return stopped, await known_trace(self.store, attempt)
        finding = await self._proven(attempt, report)
        now = self.store.now()
        decision, known = await self.clock.decide(
            self.store.write_small,
            check.apply_traced,
            self.policy,
            attempt,
            finding,
            owner=self.owner,
            asked_at=asked_at,
        )
        if decision is not None:
            self._learn(attempt, report, decision, now)
            if not isinstance(decision, CheckAgain):
                record_settling(attempt, trace, began=now, ended=self.store.now())
        return decision, known

    async def _stopped(self, client: ProviderClient, attempt: AttemptRow, report: Report) -> AttemptFailed | None:
        """Hand the wish to stop an unfinished job on to its provider; give the end where that was it."""
        if not isinstance(report, Working) or not cancelling.is_to_be_asked(attempt):
            return None
        if not await self.store.write_unsynced(unconfirmed.may_ask, self.policy, client.name, now=self.store.now()):
            return None
        if not await self.store.write_small(cancelling.note_asking, attempt):
            return None
        answer = await client.cancel(handle_of(attempt))
        metrics.cancellations.labels(client.name, answer.result.name.lower()).inc()
        await failpoint("cancel answered")
        return await self.clock.decide(self.store.write_small, cancelling.answered, self.policy, attempt, answer)

    async def _proven(self, attempt: AttemptRow, report: Report) -> Finding:
        """Ask the addresses of a result where that is wished; what was given up is not announced as ready."""
        wished = attempt.provider in self.policy.proves and attempt.state is AttemptState.GENERATING
        return await self.prove(attempt, report.urls) if wished and isinstance(report, Ready) else report

    def _learn(self, attempt: AttemptRow, report: Report, decision: Decision, now: float) -> None:
        lesson = check.lesson(attempt, report, decision, now=now)
        if lesson is not None:
            self.lessons.append(lesson)

    async def store_lessons(self) -> int:
        """Store what was learnt, and give 0: no more is to be done at once. Raises `StoreUnavailable`, and keeps it."""
        lessons = list(self.lessons)
        if lessons:
            await self.store.write_unsynced(learning.learn, lessons)
            del self.lessons[: len(lessons)]
        return 0

    async def _answer(self, client: ProviderClient, attempt: AttemptRow) -> Report:
        """Take a signed webhook's word where that is a whole report, and ask elsewhere."""
        job = handle_of(attempt)
        told = await SignedWebhooks(self.store, self.answered).report(client, attempt, job)
        return told or await self._report(client, attempt, job)

    async def _report(self, client: ProviderClient, attempt: AttemptRow, job: Handle) -> Report:
        self.watch.asked(attempt, at=time.monotonic())
        try:
            with metrics.provider_request_seconds.labels(client.name, "check").time(), watched_answers() as answers:
                report = await client.check(job)
        except BaseException:
            self.watch.dropped(attempt)
            raise
        self.watch.answered(attempt, at=time.monotonic())
        metrics.checks.labels(client.name, type(report).__name__.lower()).inc()
        self.answered(client.name, answers, type(report).__name__.lower())
        log_answer(self.providers, client.name, report)
        await failpoint("look answered")
        return report


def _count(attempt: AttemptRow, decision: AttemptSucceeded | AttemptFailed, *, now: float) -> None:
    outcome = "ready" if isinstance(decision, AttemptSucceeded) else decision.code
    detected_by = decide.prompted_by(attempt)
    log.info(
        "attempt settled",
        video=attempt.video_id,
        attempt_id=attempt.id,
        provider=str(attempt.provider),
        outcome=outcome,
        reason=None if isinstance(decision, AttemptSucceeded) else decision.message,
        detected_by=detected_by,
    )
    metrics.attempts_ended.labels(attempt.provider, outcome, detected_by).inc()
    if detected_by is DetectedBy.WEBHOOK and attempt.woken_at is not None:
        metrics.webhook_to_end_seconds.labels(attempt.provider).observe(max(0.0, now - attempt.woken_at))
    metrics.attempt_seconds.labels(attempt.provider).observe(max(0.0, now - (attempt.accepted_at or 0)))
    if capabilities(attempt.provider).calls_back and attempt.woken_at is None:
        metrics.webhook_missed.labels(attempt.provider).inc()


def handle_of(attempt: AttemptRow) -> Handle:
    """Give what a provider is asked about an attempt's job by."""
    return Handle(attempt.provider_job_id or "", attempt.job_details or {})
