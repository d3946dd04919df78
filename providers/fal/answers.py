"""What fal's answers mean: a table from (status, words) for each of its calls."""

from collections import OrderedDict
from collections.abc import Mapping

from providers.http.account import Account
from providers.http.responses import Response
from providers.parsing.answers import Answers
from providers.parsing.error_text import any_text, is_web_page, response_text
from providers.parsing.fields import job_id_in
from providers.parsing.status import UnknownStatus, describe_response
from providers.parsing.submission import interpret_status, unreadable
from providers.reports import (
    Accepted,
    CancelAnswer,
    CancelResult,
    Doubtful,
    Failed,
    Ready,
    Refused,
    Report,
    SubmissionOutcome,
    UnknownJob,
    Working,
)
from schemas.names import ErrorCode, RefundStatus
from schemas.video import Refund

ADDRESSES = ("status_url", "response_url", "cancel_url")

_NAMED_JOBS = 10_000
_LOCKED = ("locked", "balance", "top_up")
_NOT_CHARGED = Refund(status=RefundStatus.NOT_CHARGED, credits=0)
_UNKNOWN = Refund(status=RefundStatus.UNKNOWN, credits=None)
_CANCELS = {
    "OK": CancelResult.DONE,
    "CANCELLATION_REQUESTED": CancelResult.WISHED,
    "ALREADY_COMPLETED": CancelResult.TOO_LATE,
    "NOT_FOUND": CancelResult.UNKNOWN,
}


class FalAnswers(Answers):
    """Reads them, and remembers which jobs fal named to us itself."""

    def __init__(self, account: Account, unknown_status: UnknownStatus) -> None:
        super().__init__(account, unknown_status)
        self._named: OrderedDict[str, None] = OrderedDict()

    def was_named(self, job: str) -> bool:
        """Say whether fal answered one of our own submissions or questions with this job."""
        return job in self._named

    def acceptance(self, answer: Response) -> SubmissionOutcome:
        """Say what a submission came to. A 403 is an empty or locked account more often than a wrong key."""
        text = response_text(answer.body)
        if answer.status == 403 and any(word in text.lower() for word in _LOCKED):
            mend = f"{describe_response(answer, self.account)}. Look at the balance of the account"
            return Refused(ErrorCode.OUT_OF_CREDITS, mend)
        refusal = interpret_status(answer, self.account)
        if refusal is not None:
            return refusal
        document = self.document(answer)
        job = job_in(document)
        if job is None:
            return unreadable(self.account)
        self._remember(job)
        details = {name: document[name] for name in ADDRESSES if self.account.path_of(document.get(name))}
        return Accepted(job, details={name: str(value) for name, value in details.items()})

    def status(self, answer: Response) -> Report | None:
        """Read a status; None for COMPLETED, which failures are too: the result says which."""
        if is_web_page(answer.body):
            return self.no_answer(answer)
        if answer.status in (404, 410):
            return UnknownJob(describe_response(answer, self.account))
        document = self.document(answer)
        word = document.get("status")
        if not answer.is_success or not isinstance(word, str):
            return self.no_answer(answer)
        self._remember(job_in(document))
        if word == "COMPLETED":
            return None
        return Working() if word in ("IN_QUEUE", "IN_PROGRESS") else self.unheard(word)

    def result(self, answer: Response, status: Mapping[str, object]) -> Report:
        """Read the result of a completed job: its HTTP status is the verdict."""
        if is_web_page(answer.body) or answer.status in (401, 403, 408, 429):
            return self.no_answer(answer)
        if answer.is_success:
            return self.video(self.document(answer))
        if answer.status in (404, 410):
            return UnknownJob(describe_response(answer, self.account))
        document = self.document(answer)
        message = describe_response(answer, self.account)
        if 400 <= answer.status < 500:
            return Failed(message, refund=_UNKNOWN)
        if document.get("error_type") or status.get("error") or status.get("error_type"):
            return Failed(message, refund=_NOT_CHARGED, evidence="its FAQ: a 5xx is never charged")
        # A front's own words, as a 502 in passing, are no verdict.
        return self.no_answer(answer)

    def video(self, output: Mapping[str, object]) -> Ready | Doubtful:
        """Find the video in a model's output."""
        found = output.get("video")
        several = found if isinstance(found, list) else [found]
        return self.ready(each.get("url") if isinstance(each, dict) else each for each in several)

    def webhook(self, document: Mapping[str, object]) -> Report | None:
        """Read what a webhook tells; None where only a check can tell."""
        payload = document.get("payload")
        if document.get("status") == "OK" and isinstance(payload, dict):
            return self.video(payload)
        if document.get("status") == "ERROR":
            text = any_text(payload) or any_text(document)
            return Failed(self.clean(text) or "fal reports an error without a reason", refund=_UNKNOWN)
        return None

    def cancelled(self, answer: Response) -> CancelAnswer:
        """Say what a cancellation came to. What it costs, no page says."""
        word = self.document(answer).get("status")
        result = _CANCELS.get(str(word), CancelResult.UNKNOWN)
        if result is CancelResult.DONE and answer.status != 200:
            result = CancelResult.WISHED
        return CancelAnswer(result, self.clean(str(word)) if word else describe_response(answer, self.account))

    def _remember(self, job: str | None) -> None:
        if job is None:
            return
        self._named[job] = None
        if len(self._named) > _NAMED_JOBS:
            self._named.popitem(last=False)


def job_in(document: object) -> str | None:
    """Find the job that a document names: `gateway_request_id` differs where fal tried again."""
    return job_id_in(document, ("request_id",))
