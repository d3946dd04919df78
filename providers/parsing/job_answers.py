"""What the answers have in common in which a job is one document: to submissions, to checks, and in webhooks."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from providers.http.responses import Response
from providers.parsing.answers import Answers
from providers.parsing.fields import job_id_in
from providers.parsing.json import decode
from providers.parsing.submission import interpret_status, unreadable
from providers.reports import (
    Accepted,
    Failed,
    Handle,
    Ready,
    Report,
    Signature,
    SubmissionOutcome,
    Unavailable,
    WebhookReading,
)


class JobAnswers(Answers, ABC):
    """Reads one provider's documents."""

    id_keys: ClassVar[tuple[str, ...]] = ("id",)
    """Where a document names its job."""

    @abstractmethod
    def report(self, document: Mapping[str, object], answer: Response | None = None) -> Report:
        """Say what a job's document tells, which came in an answer or, without one, in a webhook."""

    def acceptance(self, answer: Response) -> SubmissionOutcome:
        """Say what a submission came to; its answer may tell of the end already."""
        refusal = interpret_status(answer, self.account)
        if refusal is not None:
            return refusal
        document = self.document(answer)
        job = job_id_in(document, self.id_keys)
        if job is None:
            return unreadable(self.account)
        report = self.report(document, answer)
        return Accepted(job, finished=report if isinstance(report, Ready | Failed) else None)

    def no_state(self, answer: Response | None) -> Unavailable:
        """Say that a document names no state."""
        return self.no_answer(answer) if answer else Unavailable("the webhook names no state")

    def delivered(self, signature: Signature, body: bytes) -> WebhookReading:
        """Read a webhook's body."""
        document = decode(body)
        job = job_id_in(document, self.id_keys) if isinstance(document, dict) else None
        if job is None or not isinstance(document, dict):
            return WebhookReading(signature)
        return WebhookReading(signature, Handle(job), self.report(document))
