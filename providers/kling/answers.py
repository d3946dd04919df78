"""What Kling's answers mean. A success (200) with a `code` other than 0 is none; a 429 may mean that no money is left.

Both dialects are read: the new one, and the old one with `task_` before its names.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from providers.http.responses import Response
from providers.parsing.error_text import is_web_page, refusal_code
from providers.parsing.fields import job_id_in
from providers.parsing.job_answers import JobAnswers
from providers.parsing.status import describe_response
from providers.parsing.submission import interpret_status, unreadable
from providers.reports import (
    Accepted,
    Failed,
    NotAcceptedYet,
    OutcomeUnknown,
    Refused,
    Report,
    SubmissionOutcome,
    Unavailable,
    UnknownJob,
    Working,
)
from schemas.names import ErrorCode, RefundStatus
from schemas.video import Refund

_UNAUTHORIZED = frozenset({1000, 1001, 1002, 1003, 1004, 1103, 1304})
_NO_MONEY = frozenset({1100, 1101, 1102})
_LIMITED = frozenset({1302, 1303})
_PARAMETERS = frozenset({1200, 1201, 1202, 1203, 1300, 1301})
_MAINTENANCE = 5001
_NOT_FOUND = 1201
_LIMIT_SECONDS = 1.0

_NOT_CHARGED = Refund(status=RefundStatus.NOT_CHARGED, credits=0)
_CHARGED = Refund(status=RefundStatus.CHARGED, credits=0)
_UNKNOWN = Refund(status=RefundStatus.UNKNOWN, credits=None)

ID_KEYS = ("id", "task_id")
"""The names of a task's id in either dialect."""


class KlingAnswers(JobAnswers):
    """Reads them."""

    id_keys = ID_KEYS

    def acceptance(self, answer: Response) -> SubmissionOutcome:  # noqa: PLR0911 - a table
        """Say what a submission came to, by Kling's own code first."""
        document = self.document(answer)
        code = _code(document)
        message = describe_response(answer, self.account)
        if code is None:
            refusal = interpret_status(answer, self.account)
            return refusal or unreadable(self.account)
        if code in _UNAUTHORIZED:
            mend = f"{message} ({code}). Check {self.account.key_setting} and the region in REELBUS_KLING_URL"
            return Refused(ErrorCode.AUTHENTICATION_FAILED, mend, unauthorized=True)
        if code in _NO_MONEY:
            return Refused(ErrorCode.OUT_OF_CREDITS, f"{message} ({code}). Look at the account's resource packs")
        if code in _LIMITED:
            return NotAcceptedYet(f"{message} ({code})", answer.retry_after or _LIMIT_SECONDS, throttled=True)
        if code in _PARAMETERS:
            return Refused(self._about(document), f"{message} ({code})")
        if code == _MAINTENANCE:
            return NotAcceptedYet(f"{message} ({code})", answer.retry_after)
        job = job_id_in(document.get("data"), ID_KEYS) if code == 0 else None
        if job is not None:
            return Accepted(job)
        return unreadable(self.account) if code == 0 else OutcomeUnknown(f"{message} ({code})")

    def tasks(self, answer: Response) -> list[Mapping[str, object]] | UnknownJob | Unavailable:
        """Read the tasks of an answer, in whatever order they came."""
        document = self.document(answer)
        code = _code(document)
        if code is None or is_web_page(answer.body):
            return self.no_answer(answer)
        message = f"{describe_response(answer, self.account)} ({code})"
        if code == _NOT_FOUND and "not found" in str(document.get("message")).lower():
            return UnknownJob(message)
        if code in _UNAUTHORIZED:
            return Unavailable(f"{message}: check {self.account.key_setting}", answer.retry_after, unauthorized=True)
        if code != 0:
            return Unavailable(message, answer.retry_after, throttled=code in _LIMITED)
        data = document.get("data")
        found = data if isinstance(data, list) else [data]
        return [task for task in found if isinstance(task, dict)]

    def report(self, document: Mapping[str, object], answer: Response | None = None) -> Report:
        """Say what one task of either dialect tells."""
        del answer
        task = document
        word = task.get("status", task.get("task_status"))
        if word in ("submitted", "processing"):
            return Working()
        if word in ("succeeded", "succeed"):
            return self.ready(_addresses(task))
        if word == "failed":
            message = self.clean(task.get("message") or task.get("task_status_msg"))
            refund, evidence = self._billed(task)
            return Failed(message or "Kling reports failed and gives no reason", refund=refund, evidence=evidence)
        return self.unheard(word)

    def _billed(self, task: Mapping[str, object]) -> tuple[Refund, str]:
        """Say what a failed task cost, and how that was told."""
        if "billing" in task:
            billing = task["billing"]
            amounts = [each.get("amount") if isinstance(each, dict) else None for each in _listed(billing)]
            return _refund(amounts), self.evidence("billing", billing)
        if "final_unit_deduction" in task:
            deduction = task["final_unit_deduction"]
            return _refund([deduction]), self.evidence("final_unit_deduction", deduction)
        return _UNKNOWN, ""

    def _about(self, document: Mapping[str, object]) -> ErrorCode:
        about = refusal_code(str(document.get("message") or ""))
        return about if about is ErrorCode.IMAGE_REJECTED else ErrorCode.REQUEST_REJECTED


def id_of(task: Mapping[str, object]) -> str | None:
    """Give a task's id, in either dialect."""
    return job_id_in(task, ID_KEYS)


def name_of(task: Mapping[str, object]) -> str | None:
    """Give our own name for a task, in either dialect."""
    info = task.get("task_info")
    old = info.get("external_task_id") if isinstance(info, dict) else None
    name = task.get("external_id", old)
    return name if isinstance(name, str) else None


def _addresses(task: Mapping[str, object]) -> list[object]:
    """List the videos; the address of the watermarked twin of one stands beside it and is no second video."""
    result = task.get("task_result")
    old = _listed(result.get("videos")) if isinstance(result, dict) else []
    new = [each for each in _listed(task.get("outputs")) if isinstance(each, dict) and each.get("type") == "video"]
    return [each.get("url") for each in [*new, *old] if isinstance(each, dict)]


def _refund(amounts: list[object]) -> Refund:
    """Read amounts: all of them 0, and at least one, is not charged; what cannot be read tells nothing."""
    try:
        read = [Decimal(str(amount)) for amount in amounts]
    except InvalidOperation:
        return _UNKNOWN
    if not read or not all(amount.is_finite() for amount in read):
        return _UNKNOWN
    return _CHARGED if any(read) else _NOT_CHARGED


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _code(document: Mapping[str, object]) -> int | None:
    code = document.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None
