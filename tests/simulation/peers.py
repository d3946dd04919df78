"""What lies outside: providers that take money and tell the truth unreliably, and a broker that may not confirm."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from providers.base import LostSubmission, Order, ProviderClient
from providers.capabilities import Cancel, Lookup
from providers.registry import capabilities
from providers.reports import (
    Accepted,
    CancelAnswer,
    CancelResult,
    Doubtful,
    Failed,
    Found,
    Handle,
    LookupAnswer,
    NotAcceptedYet,
    NotFound,
    OutcomeUnknown,
    Ready,
    Refused,
    Report,
    SubmissionOutcome,
    Unavailable,
    UnknownJob,
    Working,
)
from schemas.names import ErrorCode, Provider, RefundStatus
from schemas.video import Refund
from store.outbox import OutboxEvent
from tests.simulation.steps import Step

KEPT = Refund(status=RefundStatus.CHARGED, credits=0)
UNHEARD = CancelAnswer(CancelResult.UNKNOWN, "no answer came")

SIMULATED = (Provider("iacrea"), Provider("homedesigns"))
"""The providers of this world, in the order of preference, however many more there are."""

GIVES_UP_SECONDS = 5.0
"""Seconds after which a request without an answer is of unknown outcome."""


class Outside(Protocol):
    """What the peers need of the world around them."""

    now: float
    rng: random.Random
    calm: bool

    def note(self, who: str, what: str) -> None:
        """Write a line of the history."""

    def later(self, delay: float, do: Callable[[], None]) -> None:
        """Have something happen after a delay, whoever dies meanwhile."""

    def send_webhook(self, attempt_id: str, body: bytes, delay: float) -> None:
        """Have a webhook come."""


@dataclass(slots=True)
class Look:
    """A question about a job, from when it was asked until it was answered, or whoever asked was no more."""

    job_id: str
    began_at: float
    ended_at: float = math.inf


@dataclass(slots=True)
class PaidJob:
    """A job that a provider took: it cost a credit."""

    id: str
    attempt_id: str
    outcome: Ready | Failed | Doubtful | None
    done_at: float
    visible_from: float
    refunded: bool = False
    cancelled: bool = False
    """Whether it was stopped on our wish: nothing comes of it."""
    findable_from: float = 0.0
    """From when on it can be found by its name."""
    is_gone: bool = False
    """Whether nothing lies at the address that it gives."""


@dataclass(slots=True)
class Account(ProviderClient):
    """A provider's own record of us: the truth that the invariants are held against."""

    outside: Outside
    name: Provider
    wants_bytes: bool = False
    balance: int = 1000
    jobs: dict[str, PaidJob] = field(default_factory=dict)
    arrivals: dict[str, list[str]] = field(default_factory=dict)
    looks: list["Look"] = field(default_factory=list)
    """When somebody began to ask about which job."""
    away_until: float = 0.0
    cancels: list[str] = field(default_factory=list)
    """The jobs that somebody wished to stop here."""

    def _chance(self, probability: float) -> bool:
        return not self.outside.calm and self.outside.rng.random() < probability

    async def submit(self, order: Order, *, before_first_byte: Callable[[], object], **_: object) -> SubmissionOutcome:
        """Take a request as a real client does: the hook first, then the bytes, then perhaps an answer."""
        await Step(lambda: None, self.outside.now + 0.05, "connecting")
        if self._chance(0.06) or (self.outside.now < self.away_until and not self.outside.calm):
            return NotAcceptedYet("connection refused")
        await before_first_byte()  # type: ignore[misc]  # the hook is awaitable, whatever its type
        box: list[SubmissionOutcome] = []
        if not self._chance(0.04):
            self.outside.later(self.outside.rng.uniform(0, 0.5), lambda: self._arrive(order.webhook_url or "", box))
        gives_up_at = self.outside.now + (GIVES_UP_SECONDS if not self.outside.calm else 0.6)
        await Step(lambda: None, self.outside.now + self.outside.rng.uniform(0.5, 1.5), "waiting for the answer")
        if not box:
            await Step(lambda: None, gives_up_at, "waiting for the answer")
        return box[0] if box and not self._chance(0.12) else OutcomeUnknown("no answer came")

    def _arrive(self, attempt_id: str, box: list[SubmissionOutcome]) -> None:
        rng, calm = self.outside.rng, self.outside.calm
        fate = "take" if calm else rng.choices(("take", "busy", "refuse", "break"), (80, 9, 4, 7))[0]
        self.arrivals.setdefault(attempt_id, []).append(fate)
        self.outside.note(self.name, f"{fate} {attempt_id}")
        if fate == "busy":
            box.append(NotAcceptedYet("503", rng.choice((None, 2.0)), throttled=rng.random() < 0.3))
        elif fate == "refuse":
            box.append(Refused(ErrorCode.REQUEST_REJECTED, "400"))
        else:
            taken = self._take(attempt_id) if fate == "take" or rng.random() < 0.5 else None
            if taken is None:
                self.arrivals[attempt_id][-1] = "drop"
            box.append(taken if taken is not None and fate == "take" else OutcomeUnknown("500"))

    def _take(self, attempt_id: str) -> Accepted:
        rng, now, calm = self.outside.rng, self.outside.now, self.outside.calm
        number = len(self.jobs) + (1 if self.name == Provider("iacrea") else 2**20)
        job_id = f"{number:08x}-0000-4000-8000-000000000000"
        ready = Ready((f"https://cdn.example/{job_id}.mp4",))
        nothing = Doubtful(ErrorCode.RESULT_INVALID, "success with nothing usable", final=True)
        outcome = rng.choices((ready, Failed("FAILED"), nothing, None), (66, 24, 4, 6))[0]
        delay = rng.choice((0.0, 0.5, 3.0, 8.0, 60.0))
        gone = not calm and rng.random() < 0.06
        visible_from, findable_from = now + rng.choice((0.0, 0.0, 5.0)), now + rng.choice((0.0, 10.0, 50.0))
        job = PaidJob(job_id, attempt_id, outcome, now + delay, visible_from, is_gone=gone, findable_from=findable_from)
        self.jobs[job_id] = job
        self.balance -= 1
        remaining = self.balance if self.name == Provider("iacrea") else None
        if self.name == Provider("iacrea"):
            self.outside.later(delay, lambda: self._refund(job))
            self._plan_webhooks(job, delay)
        if self.name == Provider("homedesigns") and delay == 0 and isinstance(outcome, Ready | Failed):
            return Accepted(job_id if rng.random() < 0.5 else None, remaining, outcome)
        return Accepted(job_id, remaining)

    def _refund(self, job: PaidJob) -> None:
        if isinstance(job.outcome, Failed) and not job.refunded:
            job.refunded = True
            self.balance += 1

    def _plan_webhooks(self, job: PaidJob, delay: float) -> None:
        rng = self.outside.rng
        if job.outcome is None or (not self.outside.calm and rng.random() < 0.3):
            return
        urls = job.outcome.urls if isinstance(job.outcome, Ready) else ()
        named = f'"generation_id": "{job.id}", ' if rng.random() < 0.7 else ""
        status = "SUCCEEDED" if urls else "FAILED"
        address = f', "videos": ["{urls[0]}"]' if urls else ""
        body = f'{{{named}"status": "{status}"{address}}}'.encode()
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            self.outside.send_webhook(job.attempt_id, body, delay + rng.choice((0.0, 0.1, 1.0, 30.0)))

    def job_at(self, url: str) -> PaidJob | None:
        """Give the job that gave an address."""
        found = (job for job in self.jobs.values() if isinstance(job.outcome, Ready) and url in job.outcome.urls)
        return next(found, None)

    async def check(self, job: Handle) -> Report:
        """Answer as far as it pleases."""
        look = Look(job.id, self.outside.now)
        self.looks.append(look)
        try:
            report = await Step(lambda: self._look(job.id), self.outside.now + 0.05, f"asking {self.name}")
            later = self.outside.now + self.outside.rng.choice((0.0, 0.1, 2.0))
            return await Step(lambda: report, later, "being answered")
        finally:
            look.ended_at = self.outside.now

    def _look(self, job_id: str) -> Report:
        rng, now = self.outside.rng, self.outside.now
        if self._chance(0.2):
            return rng.choice((
                Unavailable("503", rng.choice((None, 3.0))), Unavailable("429", 1.0, throttled=True),
                Unavailable("401", unauthorized=True), UnknownJob("404"),
                Doubtful(ErrorCode.GENERATION_FAILED, "a word that may mean failure"),
            ))  # fmt: skip
        job = self.jobs.get(job_id)
        if job is None or now < job.visible_from:
            return UnknownJob("404")
        if job.cancelled and now >= job.done_at:
            return Failed("stopped on a wish", refund=KEPT, cancelled=True)
        if job.outcome is None or now < job.done_at:
            return Working()
        return job.outcome

    async def cancel(self, job: Handle) -> CancelAnswer:
        """Stop a job as far as this provider does, and perhaps say so."""
        answer = await Step(lambda: self._stop(job.id), self.outside.now + 0.05, f"cancelling at {self.name}")
        lost = self._chance(0.2)
        return await Step(lambda: UNHEARD if lost else answer, self.outside.now + 0.1, "being answered")

    def _stop(self, job_id: str) -> CancelAnswer:
        job, now, kind = self.jobs.get(job_id), self.outside.now, capabilities(self.name).cancel
        self.cancels.append(job_id)
        if kind is Cancel.NONE or job is None or self._chance(0.1):
            return UNHEARD
        if job.cancelled:
            return CancelAnswer(CancelResult.DONE, "stopped before", KEPT)
        if job.outcome is not None and now >= job.done_at:
            return CancelAnswer(CancelResult.TOO_LATE, "it is finished")
        if kind is Cancel.WISH and self.outside.rng.random() < 0.6:
            if self.outside.rng.random() < 0.5:
                job.cancelled, job.outcome = True, None
                job.done_at = now + 2
            return CancelAnswer(CancelResult.WISHED, "it was asked to stop")
        job.cancelled, job.outcome, job.done_at = True, None, now
        return CancelAnswer(CancelResult.DONE, "it is stopped", KEPT)

    async def lookup(self, lost: LostSubmission) -> LookupAnswer:
        """Find a submission by the name that it was given."""
        answer = await Step(lambda: self._search(lost.name), self.outside.now + 0.05, f"searching {self.name}")
        return await Step(lambda: answer, self.outside.now + 0.1, "being answered")

    def _search(self, name: str) -> LookupAnswer:
        if self._chance(0.2):
            return Unavailable("503")
        found = [job for job in self.jobs.values() if job.attempt_id == name]
        searched = capabilities(self.name).lookup is Lookup.SEARCH
        if not found or found[0].findable_from > self.outside.now or (searched and self._chance(0.5)):
            return NotFound("no submission of this name")
        return Found(Handle(found[0].id))

    async def verify(self) -> str:
        """Say that all is well."""
        return "simulated"

    async def close(self) -> None:
        """Have nothing to close."""


@dataclass(slots=True)
class OneSubmission:
    """The client of one submission, which remembers the answer that it gave."""

    account: Account
    answer: SubmissionOutcome | None = None

    @property
    def name(self) -> Provider:
        """Name the provider."""
        return self.account.name

    @property
    def wants_bytes(self) -> bool:
        """Want an address."""
        return False

    async def submit(self, order: Order, **hooks: Callable[[], object]) -> SubmissionOutcome:
        """Submit, and remember the answer."""
        self.answer = await self.account.submit(order, **hooks)
        return self.answer


@dataclass(slots=True)
class SimulatedBroker:
    """What reached the subscribers, in its order, and what was confirmed."""

    outside: Outside
    away_until: float = 0.0
    delivered: list[tuple[str, str, str]] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)

    def publish(self, event: OutboxEvent) -> bool:
        """Take an event or lose it; say whether it was confirmed."""
        rng = self.outside.rng
        if self.outside.now < self.away_until and not self.outside.calm:
            return False
        fate = "confirm" if self.outside.calm else rng.choices(("confirm", "lose", "confirm in vain"), (80, 8, 12))[0]
        self.outside.note("broker", f"{fate} {event.type} of {event.video_id}")
        if fate != "lose":
            self.delivered.append((event.video_id, event.event_id, event.body))
        if fate == "confirm":
            self.confirmed.add(event.event_id)
        return fate == "confirm"
