"""What both stand-ins share: how a request is met, from its arrival to the end of the video."""

import hashlib
import random
import time
import uuid
from abc import ABC, abstractmethod

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.behaviours import BEHAVIOURS, Behaviour
from sandbox.context import Refused, SandboxContext
from sandbox.endings import end_of
from sandbox.fault_responses import FaultTiming, apply_fault
from sandbox.faults import fault_named
from sandbox.plans import Choice, Plans
from sandbox.records import Submission
from sandbox.settings import Provider


class StandIn(ABC):
    """One provider: its account, its plans and its three kinds of request."""

    provider: Provider

    def __init__(self, context: SandboxContext) -> None:
        self.settings = context.settings
        self.records = context.records
        self.shelf = context.shelf
        self.webhooks = context.webhooks
        self.behaviours = BEHAVIOURS[self.provider]
        usual = self.settings.behaviour(self.provider)
        if usual not in self.behaviours:
            raise ValueError(f"{self.provider}_behaviour: there is no behaviour {usual!r}")
        self.plans = Plans(self.behaviours, usual, seed=self.settings.seed)
        self.credits = self.settings.credits
        self.render_seconds = self.settings.seconds_to_render(self.provider)
        self._chance = random.Random(f"{self.settings.seed}/{self.provider}")  # noqa: S311  (repeatable on purpose)
        self._timing = FaultTiming(
            closing=context.closing,
            hang=self.settings.hang_seconds,
            drip=self.settings.slow_body_seconds,
            retry_after=self.settings.retry_after_seconds,
            elsewhere=f"{self.settings.base_url}/elsewhere/{self.provider}",
        )

    @abstractmethod
    def authorise(self, request: Request) -> None:
        """Refuse a request that does not prove who sends it. Raises Refused."""

    @abstractmethod
    async def read(self, request: Request, submission: Submission) -> tuple[str, ...]:
        """Read a submission as documented and give the texts in which a marker may stand. Raises Refused."""

    @abstractmethod
    async def identify(self, request: Request) -> str:
        """Read which video a status call asks about. Raises Refused."""

    @abstractmethod
    def name_job(self, behaviour: Behaviour) -> str:
        """Make an id for a new video."""

    @abstractmethod
    def acceptance(self, submission: Submission, behaviour: Behaviour) -> object:
        """Give the body that answers an accepted submission."""

    @abstractmethod
    def status(self, submission: Submission, behaviour: Behaviour, now: float) -> object:
        """Give the body that answers a status call."""

    @abstractmethod
    def unknown_job(self, submission: Submission | None) -> Response:
        """Answer a status call about an id that is not known (any more)."""

    @abstractmethod
    def out_of_credits(self) -> Response:
        """Answer a submission that cannot be paid."""

    @abstractmethod
    async def begin(self, submission: Submission, behaviour: Behaviour) -> None:
        """Start what goes on beside an accepted video."""

    async def submit(self, request: Request) -> Response:
        """Meet one submission, and note all about it."""
        now = time.time()
        self.records.traffic[self.provider].count("submit", now)
        submission = self.records.begin(self.provider, now)
        try:
            answer = await self._meet(request, submission)
        except Refused as refused:
            submission.refusal = refused.why
            answer = refused.answer
        submission.answered = answer.status_code or None  # a fault may send none
        return answer

    async def check(self, request: Request) -> Response:
        """Meet one status call."""
        now = time.time()
        self.records.traffic[self.provider].count("check", now)
        try:
            self._admit(request)
            planned = self.plans.next("check")
            job_id = await self.identify(request)
        except Refused as refused:
            return refused.answer
        submission = self.records.job(self.provider, job_id)
        if submission is not None:
            submission.checked(now)
        if planned and not _spoils(planned):
            return self.spoil(planned)
        if submission is None or not self._knows(submission, now):
            return self.unknown_job(submission)
        answer = JSONResponse(self.status(submission, self.behaviours[submission.behaviour], now))
        if planned:
            return self.spoil(planned, answer)
        if self.has_ended(submission, now):
            submission.told_end_at = submission.told_end_at or now
        return answer

    async def account(self, request: Request) -> Response:
        """Meet one question about credits."""
        self.records.traffic[self.provider].count("credits", time.time())
        try:
            self._admit(request)
            planned = self.plans.next("credits")
            if planned and not _spoils(planned):
                return self.spoil(planned)
            answer = await self.balance(request)
        except Refused as refused:
            return refused.answer
        return self.spoil(planned, answer) if planned else answer

    @abstractmethod
    async def balance(self, request: Request) -> Response:
        """Tell what the account holds. Raises Refused."""

    def spoil(self, choice: Choice, true: Response | None = None, fault: str = "") -> Response:
        """Give the answer that a fault makes, of the true one where it needs that."""
        found = fault_named(fault or choice.name)
        if found is None:
            return true or JSONResponse({})
        answer = apply_fault(found, self._timing, true, choice.seconds)
        if found.retry_after:
            wait = self._timing.retry_after if choice.seconds is None else choice.seconds
            traffic = self.records.traffic[self.provider]
            traffic.quiet_until = max(traffic.quiet_until, time.time() + wait)
        return answer

    def has_ended(self, submission: Submission, now: float) -> bool:
        """Say whether a video has come to its end, and settle the account with it."""
        if submission.ends_at is None or now < submission.ends_at:
            return False
        self.settle(submission)
        return True

    @abstractmethod
    def settle(self, submission: Submission) -> None:
        """Do to the account what the end of a video does to it."""

    def output_url(self, submission: Submission) -> str:
        """Give the address of a finished video."""
        return f"{self.settings.base_url}/clips/{submission.marker}.mp4"

    def keep_picture(self, submission: Submission, picture: bytes) -> None:
        """Note a picture, and keep it where a clip may be made of it."""
        submission.picture_sha256 = hashlib.sha256(picture).hexdigest()
        submission.picture_bytes = len(picture)
        if self.settings.render_clips:
            self.shelf.put(submission.picture_sha256, picture)

    def _admit(self, request: Request) -> None:
        if self.plans.outage:
            self.records.traffic[self.provider].counts["during_outage"] += 1
            outage = Choice(self.plans.outage, "plan")
            raise Refused(self.spoil(outage), f"outage: {self.plans.outage}")
        try:
            self.authorise(request)
        except Refused:
            self.records.traffic[self.provider].counts["unauthorised"] += 1
            raise

    async def _meet(self, request: Request, submission: Submission) -> Response:
        self._admit(request)
        choice = self.plans.next("submit")
        if choice and self._strikes_first(choice):
            _note(submission, choice)
            return self.spoil(choice, fault=self.behaviours[choice.name].fault)
        texts = await self.read(request, submission)
        choice = choice or self.plans.marked(texts, _same(submission)) or self.plans.drawn()
        _note(submission, choice)
        behaviour = self.behaviours[choice.name]
        if not behaviour.accepts:
            return self.spoil(choice, fault=behaviour.fault)
        if self.credits < 1:
            raise Refused(self.out_of_credits(), "out of credits")
        self._accept(submission, behaviour, choice)
        await self.begin(submission, behaviour)
        answer = JSONResponse(self.acceptance(submission, behaviour))
        return self.spoil(choice, answer, behaviour.fault) if behaviour.fault else answer

    def _strikes_first(self, choice: Choice) -> bool:
        behaviour = self.behaviours[choice.name]
        fault = fault_named(behaviour.fault)
        return bool(fault and fault.before_reading and not behaviour.accepts)

    def _accept(self, submission: Submission, behaviour: Behaviour, choice: Choice) -> None:
        """Begin a video: charge it and decide how and when it ends."""
        self.credits -= 1
        submission.accepted = submission.charged = True
        submission.job_id = self.name_job(behaviour)
        submission.marker = f"{self.provider}-{uuid.UUID(int=self._chance.getrandbits(128)).hex}"
        submission.seconds = choice.seconds
        submission.ends = behaviour.ends
        usual = self.render_seconds if choice.render_seconds is None else choice.render_seconds
        submission.ends_at = end_of(submission, behaviour, choice, self.settings, usual, self._chance)
        self.records.accepted(submission)

    def _knows(self, submission: Submission, now: float) -> bool:
        match self.behaviours[submission.behaviour].known:
            case "always":
                return True
            case "never":
                return False
            case "after a while":
                wait = self.settings.bad_id_seconds if submission.seconds is None else submission.seconds
                return now >= submission.arrived_at + wait
            case "until the end":
                return not self.has_ended(submission, now)


def _note(submission: Submission, choice: Choice) -> None:
    submission.behaviour, submission.chosen_by = choice.name, choice.chosen_by


def _spoils(choice: Choice) -> bool:
    fault = fault_named(choice.name)
    return fault is not None and fault.spoils


def _same(submission: Submission) -> str:
    """Name what every repeat of one submission has in common."""
    parts = (submission.webhook, submission.image_url, submission.picture_sha256, submission.option)
    return "|".join(part or "" for part in (submission.prompt, *parts))
