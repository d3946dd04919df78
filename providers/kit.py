"""A client for providers whose jobs are one JSON document each, with states that their pages name.

Each provider adds its own wire: the body of a submission, the path of a job, and the table of its states.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar
from urllib.parse import quote

from providers.base import BeforeFirstByte, NotOffered, Order, ProviderClient, WebhookMessage
from providers.capabilities import Capabilities, Given
from providers.http.account import Account
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.parsing.job_answers import JobAnswers
from providers.parsing.questions import ask_account, ask_job
from providers.parsing.status import UnknownStatus
from providers.prompt_motions import utf16_units, whole_prompt
from providers.reports import (
    CancelAnswer,
    CancelResult,
    Handle,
    Refused,
    Report,
    Signature,
    SubmissionOutcome,
    WebhookReading,
)
from schemas.names import ErrorCode

AnswersT = TypeVar("AnswersT", bound=JobAnswers)


@dataclass(frozen=True, slots=True)
class Wish:
    """A submission as one provider wants it; `headers` go along with those of every request."""

    path: str
    document: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountQuestion:
    """A free question: an answer with `field` in it proves the credentials, and `says` what the field is."""

    path: str
    field: str
    kind: type[str] | type[int]
    says: str


class KitClient(ProviderClient, Generic[AnswersT]):
    """Submits a picture's address, asks, and reads signed webhooks; the first credential is its bearer token."""

    record: ClassVar[Capabilities]
    jobs_path: ClassVar[str]
    """Where a job is asked about: its id follows. A client that asks otherwise writes its own `check`."""
    account_question: ClassVar[AccountQuestion]
    """A client that has none writes its own `verify`."""

    def __init__(
        self,
        given: Given,
        answers: Callable[[Account, UnknownStatus], AnswersT],
        unknown_status: UnknownStatus,
        *,
        headers: Mapping[str, str] | None = None,
        more_secrets: tuple[str, ...] = (),
    ) -> None:
        self.name, self.wants_bytes = self.record.name, self.record.wants_bytes
        token = given.credentials[self.record.credentials[0].name]
        every = {"Authorization": f"Bearer {token}"} | dict(headers or {})
        self.account = Account.of(self.record, given, every, more_secrets=more_secrets)
        self.options = given.options
        self.answers = answers(self.account, unknown_status)
        self.checks = ProviderHttp(self.account)
        self.submissions = Submissions(self.account)

    @abstractmethod
    def wish(self, order: Order, image_url: str, prompt: str) -> Wish:
        """Write a submission; `prompt` is the motion's sentence and the caller's words."""

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Ask for a video. Raises ValueError for an order without a picture's address."""
        if order.image_url is None:
            raise ValueError(f"{self.record.label} takes the address of a picture")
        prompt, limit = whole_prompt(self.record.motions[order.motion], order.prompt), self.record.prompt_limit
        if limit is not None and utf16_units(prompt) > limit:
            return Refused(ErrorCode.REQUEST_REJECTED, f"the prompt is longer than {limit}")
        wish = self.wish(order, order.image_url, prompt)
        answer = await self.submissions.post(
            wish.path, before_first_byte=before_first_byte, json=wish.document, headers=wish.headers
        )
        return self.answers.acceptance(answer) if isinstance(answer, Response) else answer

    async def check(self, job: Handle) -> Report:
        """Read the state of a job."""
        return await ask_job(self.checks, self.path(job), self.answers, report=self.answers.report)

    async def read_webhook(self, message: WebhookMessage) -> WebhookReading:
        """Say what a delivery is worth, whose body is the document that a check gives."""
        return self.answers.delivered(await self.signature(message), message.body)

    async def signature(self, message: WebhookMessage) -> Signature:
        """Verify a delivery's signature, where the record's `webhook` is SIGNED."""
        raise NotOffered(f"{self.name} signs no webhooks ({len(message.body)} bytes)")

    async def verify(self) -> str:
        """Ask the free question about the account."""
        asked = self.account_question
        value: object = await ask_account(self.checks, asked.path, self.answers, field=asked.field, kind=asked.kind)
        key = self.record.credentials[0].name
        return f"{self.record.label} knows the {key} ({asked.says}: {self.answers.clean(str(value))})"

    async def close(self) -> None:
        """Close every connection."""
        await self.checks.close()

    def path(self, job: Handle) -> str:
        """Give the path at which a job is asked about."""
        return f"{self.jobs_path}/{quote(job.id, safe='')}"

    def option(self, name: str) -> int | str:
        """Give an option; digits are a number."""
        text = self.options[name]
        return int(text) if text.isdecimal() else text


async def ask_to_cancel(question: Awaitable[Response], read: Callable[[Response], CancelAnswer]) -> CancelAnswer:
    """Await the answer to a cancellation and read it; without one nobody knows what came of it."""
    try:
        return read(await question)
    except NoResponse as error:
        return CancelAnswer(CancelResult.UNKNOWN, str(error))
