"""What Replicate's answers mean. An output counts only under a final state, and lives for an hour."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from providers.http.responses import Response
from providers.parsing.error_text import response_text
from providers.parsing.fields import job_id_in
from providers.parsing.job_answers import JobAnswers
from providers.parsing.status import describe_response
from providers.reports import (
    CancelAnswer,
    CancelResult,
    Doubtful,
    Failed,
    Found,
    Handle,
    NotAcceptedYet,
    Refused,
    Report,
    SubmissionOutcome,
    Unavailable,
    Working,
)
from schemas.names import ErrorCode, RefundStatus
from schemas.video import Refund

NAME_PARAMETER = "reelbus"
"""The parameter of a webhook's address that bears our own name for a submission."""

_NOT_CHARGED = Refund(status=RefundStatus.NOT_CHARGED, credits=0)
_RESETS_IN = re.compile(r"resets in ~?(\d{1,4})s")
_FINISHED = frozenset({"succeeded", "failed", "canceled", "aborted"})


class ReplicateAnswers(JobAnswers):
    """Reads them."""

    def acceptance(self, answer: Response) -> SubmissionOutcome:
        """Say what a submission came to."""
        text = response_text(answer.body)
        if answer.status == 429:
            resets = _RESETS_IN.search(text)
            wait = answer.retry_after or (float(resets[1]) if resets else None)
            return NotAcceptedYet(describe_response(answer, self.account), wait, throttled=True)
        if answer.status == 422 and "not permitted" in text:
            mend = "check REELBUS_REPLICATE_MODEL, and that the account has a payment method"
            return Refused(ErrorCode.REQUEST_REJECTED, f"{describe_response(answer, self.account)}: {mend}")
        return super().acceptance(answer)

    def report(self, document: Mapping[str, object], answer: Response | None = None) -> Report:  # noqa: PLR0911 - a table
        """Read a prediction."""
        word, error = document.get("status"), self.clean(document.get("error"))
        match word:
            case "starting" | "processing":
                return Working()
            case "succeeded":
                return self._output(document)
            case "failed":
                return Failed(error or "Replicate reports failed and gives no reason")
            case "canceled":
                return Failed(error or "the prediction was canceled", cancelled=True)
            case "aborted":
                evidence = "its pages: aborted predictions are not charged"
                said = error or "aborted before it started"
                return Failed(said, refund=_NOT_CHARGED, evidence=evidence, cancelled=True)
            case str():
                return self.unheard(word)
            case _:
                return self.no_state(answer)

    def cancelled(self, answer: Response) -> CancelAnswer:
        """Say what a request to cancel came to."""
        word = self.document(answer).get("status")
        if not answer.is_success or not isinstance(word, str):
            return CancelAnswer(CancelResult.UNKNOWN, describe_response(answer, self.account))
        if word == "aborted":
            return CancelAnswer(CancelResult.DONE, "aborted before it started", _NOT_CHARGED)
        if word == "canceled":
            return CancelAnswer(CancelResult.DONE, "canceled; the time that it ran is charged")
        finished = word in _FINISHED
        return CancelAnswer(CancelResult.TOO_LATE if finished else CancelResult.WISHED, self.clean(word))

    def named(self, name: str, results: list[object], answer: Response) -> Found | Unavailable | None:
        """Find the prediction whose webhook's address bears a name, on one page of a list."""
        for one in results:
            if isinstance(one, dict) and _name_in(one.get("webhook")) == name:
                job = job_id_in(one, ("id",))
                return Found(Handle(job), self.report(one, answer)) if job else Unavailable("it has no id")
        return None

    def _output(self, prediction: Mapping[str, object]) -> Report:
        output = prediction.get("output")
        if prediction.get("data_removed") is True and output is None:
            fault = "Replicate has removed the output; it keeps one for an hour"
            return Doubtful(ErrorCode.RESULT_INVALID, fault, final=True)
        if isinstance(output, dict):
            output = output.get("video", output.get("url"))
        return self.ready(output if isinstance(output, list) else [output])


def _name_in(webhook: object) -> str | None:
    query = urlsplit(webhook).query if isinstance(webhook, str) and len(webhook) <= 2048 else ""
    return dict(parse_qsl(query, max_num_fields=10)).get(NAME_PARAMETER)
