"""One submission from claim to record.

The marker that the request may have left is committed at the last instant before the first byte; whatever ends
this process after that leaves an outcome that is unknown and is never sent again.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import assert_never

import structlog

from generator.log_lines import log_change
from generator.outcome import log_outcome
from generator.pictures import Pictures
from jobs import circuit, submit
from jobs.circuit import Change
from jobs.policy import LEASE_SECONDS, Policy
from process import metrics, tracing
from process.clock import ClockWatch
from process.failpoints import failpoint
from process.tracing import SpanKind
from providers.base import Order, ProviderClient
from providers.capabilities import Lookup
from providers.http.pictures import PictureRefused, PictureUnavailable
from providers.http.seen import WatchAnswers, watch_nothing, watched_answers
from providers.registry import lookup_of
from providers.reports import Accepted, NotAcceptedYet, OutcomeUnknown, Refused, SubmissionOutcome
from schemas.names import ErrorCode
from schemas.picture import PictureRejected
from schemas.trace import Trace
from store import circuits
from store.attempts import AttemptRow
from store.circuits import CircuitRow
from store.database import Store, StoreUnavailable
from store.transaction import Tx
from store.videos import VideoRow

_RECORD_AGAIN_SECONDS = 0.5

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Another process has taken the attempt over; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a submission came to; `asked` says whether it is the provider's answer, not a fault on our own side."""

    answer: SubmissionOutcome
    sent_at: float
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Submitter:
    """Submits attempts that `owner` has claimed."""

    store: Store
    policy: Policy
    pictures: Pictures
    owner: str
    clock: ClockWatch
    answered: WatchAnswers = watch_nothing
    """Told what each submission was answered."""

    async def prepare(self, client: ProviderClient, attempt: AttemptRow, video: VideoRow) -> Order | None:
        """Make the order of an attempt whose picture lies elsewhere; None, and recorded why, if that was in vain.

        When cancelled, the attempt is given back.
        """
        with tracing.log_of(_trace(video)):
            try:
                order = await self._order(client, attempt, video)
            except asyncio.CancelledError:
                await self._leave(attempt)
                raise
            if isinstance(order, Order):
                return order
            await self._conclude(client, attempt, Result(order, self.store.now()))
            return None

    async def submit(
        self, client: ProviderClient, attempt: AttemptRow, video: VideoRow, order: Order | None = None
    ) -> bool:
        """Submit one attempt and record what came of it; say whether the provider took it.

        `order` is given where it was prepared. When cancelled, what was certainly not sent is given back, and of the
        rest the outcome is unknown.
        """
        await failpoint("claimed")
        with tracing.log_of(_trace(video)):
            try:
                result = await self._answer(client, attempt, video, order)
            except LeaseLost:
                log.info("submission left to another process", video=attempt.video_id)
                return False
            except asyncio.CancelledError:
                await self._leave(attempt)
                raise
            await failpoint("answer read")
            change = await self._conclude(client, attempt, result)
        await failpoint("acceptance recorded")
        log_change(log, client.name, change)
        return isinstance(result.answer, Accepted)

    async def _conclude(self, client: ProviderClient, attempt: AttemptRow, result: Result) -> Change | None:
        metrics.submissions.labels(client.name, result.answer.label).inc()
        log_outcome(attempt, result.answer)
        return await self._record(attempt, result)

    async def _answer(
        self, client: ProviderClient, attempt: AttemptRow, video: VideoRow, order: Order | None
    ) -> Result:
        sent_at = self.store.now()
        prepared = order or await self._order(client, attempt, video)
        if isinstance(prepared, Order):
            return await self._send(client, attempt, video, prepared, sent_at)
        return Result(prepared, sent_at)

    async def _order(self, client: ProviderClient, attempt: AttemptRow, video: VideoRow) -> Order | SubmissionOutcome:
        try:
            return await self.pictures.order(attempt, video, wants_bytes=client.wants_bytes)
        except (PictureRejected, PictureRefused) as error:
            return Refused(ErrorCode.IMAGE_REJECTED, str(error))
        except PictureUnavailable as error:
            return self._picture_unavailable(attempt, error)
        except StoreUnavailable as error:
            return NotAcceptedYet(f"the picture could not be read from the store: {error}")
        except Exception as error:
            log.exception("a picture could not be made ready", video=attempt.video_id)
            return NotAcceptedYet(f"the picture could not be made ready ({type(error).__name__})")

    def _picture_unavailable(self, attempt: AttemptRow, error: PictureUnavailable) -> SubmissionOutcome:
        if attempt.tries + 1 >= self.policy.submit_attempts:
            return Refused(ErrorCode.IMAGE_REJECTED, f"not fetched in {attempt.tries + 1} tries: {error}")
        return NotAcceptedYet(str(error), error.retry_after)

    async def _send(
        self, client: ProviderClient, attempt: AttemptRow, video: VideoRow, order: Order, sent_at: float
    ) -> Result:
        may_have_left = False

        async def before_first_byte() -> None:
            nonlocal may_have_left
            began = time.monotonic()
            if not await self.store.write_small(submit.send, attempt.id, owner=self.owner, now=self.store.now()):
                raise LeaseLost
            # From here on: whatever raises next, the provider may have the request.
            may_have_left = True
            await failpoint("intent written")
            if lookup_of(attempt.provider) is Lookup.BY_NAME and time.monotonic() - began > LEASE_SECONDS:
                # Suspended meanwhile: others may have proven that it was not sent, and send it themselves.
                raise LeaseLost

        try:
            # The span's own trace goes to no provider.
            asked = metrics.provider_request_seconds.labels(client.name, "submit").time()
            with asked, _span(attempt, video), watched_answers() as answers:
                answer = await client.submit(order, before_first_byte=before_first_byte)
            self.answered(client.name, answers, f"submission: {answer.label}")
            return Result(answer, sent_at, asked=True)
        except LeaseLost:
            raise
        except StoreUnavailable as error:
            return Result(NotAcceptedYet(f"the intent to send could not be stored: {error}"), sent_at)
        except Exception as error:
            # Counted as a try like any other failure, so that a fault of ours is not repeated for ever.
            log.exception("a submission failed unexpectedly", video=attempt.video_id)
            outcome = OutcomeUnknown if may_have_left else NotAcceptedYet
            return Result(outcome(f"the submission failed unexpectedly ({type(error).__name__})"), sent_at)

    async def _record(self, attempt: AttemptRow, result: Result) -> Change | None:
        """Store the answer, however long the store is away: it is all that anybody will ever know of it."""
        answer = result.answer
        job_id = answer.provider_job_id if isinstance(answer, Accepted) else None
        while True:
            try:
                return await self.clock.decide(self.store.write_small, self._settled, attempt, result)
            except StoreUnavailable as error:
                log.error(  # noqa: TRY400 - the last journal of an answer, not a traceback
                    "answer not stored yet", video=attempt.video_id, provider_job_id=job_id, error=str(error)
                )
                await asyncio.sleep(_RECORD_AGAIN_SECONDS)

    def _settled(self, tx: Tx, attempt: AttemptRow, result: Result, *, now: float) -> Change | None:
        asked = circuits.ask(tx, attempt.provider)
        if isinstance(result.answer, Accepted):
            # Afterwards, so that the circuit comes with what else is read.
            self._settle(tx, attempt, result, now)
            return self._noted(tx, attempt, result, asked, now)
        # First, so that what becomes of the attempt follows from what is known by then.
        change = self._noted(tx, attempt, result, asked, now)
        self._settle(tx, attempt, result, now)
        return change

    def _noted(
        self, tx: Tx, attempt: AttemptRow, result: Result, asked: Callable[[], CircuitRow], now: float
    ) -> Change | None:
        return circuit.note_answer(tx, attempt, result.answer, now=now, asked=asked) if result.asked else None

    def _settle(self, tx: Tx, attempt: AttemptRow, result: Result, now: float) -> None:
        answer, sent_at = result.answer, result.sent_at
        match answer:
            case Accepted():
                submit.accepted(tx, self.policy, attempt, answer, sent_at=sent_at, now=now)
            case NotAcceptedYet():
                submit.not_accepted(tx, self.policy, attempt, answer, owner=self.owner, now=now)
            case Refused():
                submit.refused(tx, self.policy, attempt, answer, owner=self.owner, now=now)
            case OutcomeUnknown(message):
                submit.mark_outcome_unknown(tx, self.policy, attempt, message, owner=self.owner, now=now)
            case unreachable:
                assert_never(unreachable)

    async def _leave(self, attempt: AttemptRow) -> None:
        write = self.store.write
        await self.clock.decide(write, submit.release, attempt.id, owner=self.owner)
        why = "the service was stopped before the answer came"
        await self.clock.decide(write, submit.mark_outcome_unknown, self.policy, attempt, why, owner=self.owner)


def _trace(video: VideoRow) -> Trace:
    return Trace(video.traceparent, video.tracestate)


def _span(attempt: AttemptRow, video: VideoRow) -> AbstractContextManager[Trace]:
    return tracing.span(
        f"submit {attempt.provider}",
        _trace(video),
        SpanKind.CLIENT,
        reelbus_provider=str(attempt.provider),
        reelbus_video_id=video.id,
        reelbus_attempt=attempt.number,
    )
