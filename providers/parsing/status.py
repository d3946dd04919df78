"""From the answer to a check to a report, by HTTP status first and by the document's evidence second."""

from collections.abc import Callable
from dataclasses import dataclass, field

from providers.http.account import Account
from providers.http.responses import Response
from providers.parsing.classify import Kind, Verdict, classify
from providers.parsing.error_text import any_text, clean, denies_job, is_web_page, response_text
from providers.parsing.json import Unreadable, decode
from providers.reports import Doubtful, Failed, Ready, Report, Unavailable, UnknownJob, Working
from schemas.names import ErrorCode

MAX_UNKNOWN_WORDS = 20

UnknownStatus = Callable[[str], None]
"""Told each state that no page of the provider's names: at most 32 characters, after 20 of them `other`."""


def ignore(_word: str) -> None:
    """Take no notice of an unknown state."""


@dataclass(slots=True)
class Reader:
    """Reads one provider's answers.

    `failure_words` are the states that count as the provider's own, documented failure (lower case); None
    means all that say so. Others that say failure are in doubt until they are repeated.
    """

    account: Account
    unknown_status: UnknownStatus = ignore
    failure_words: frozenset[str] | None = None
    _seen: set[str] = field(default_factory=set)

    def report(self, answer: Response) -> Report:
        """Say what an answer to a check means."""
        status = answer.status
        if 200 <= status < 300:
            return self._found(answer)
        if is_web_page(answer.body):
            # A gateway's or a firewall's words: the provider itself said nothing of the job.
            return self._no_answer(answer)
        if status in (404, 410):
            return UnknownJob(self._said(answer))
        if status in (400, 422):
            return self._objection(answer)
        return self._no_answer(answer)

    def classify(self, document: object) -> Verdict:
        """Judge a decoded document by the rules for this provider."""
        return classify(document, allow_private=self.account.allow_private_outputs)

    def finished(self, verdict: Verdict) -> Ready | Failed | None:
        """Say how a job ended, if this verdict ends it beyond doubt."""
        report = self._report(verdict, None)
        return report if isinstance(report, Ready | Failed) else None

    def _found(self, answer: Response) -> Report:
        document = decode(answer.body)
        if isinstance(document, Unreadable):
            text = "" if is_web_page(answer.body) else response_text(answer.body)
            if denies_job(text):
                return UnknownJob(self._clean(text))
            return self._unavailable(answer, "with something that is not JSON")
        return self._report(self.classify(document), answer)

    def _report(self, verdict: Verdict, answer: Response | None) -> Report:
        message = self._clean(verdict.message)
        match verdict.kind:
            case Kind.READY:
                return Ready(verdict.urls)
            case Kind.PENDING:
                self._notice(verdict)
                return Working()
            case Kind.FAILED:
                return self._failure(verdict, message)
            case Kind.LOST_ID:
                return UnknownJob(message)
            case Kind.UNUSABLE | Kind.RECHECK | Kind.ERROR_BODY:
                return self._doubt(verdict.kind, message)
            case Kind.TRANSIENT:
                return self._unavailable(answer, "with nothing about the job")

    def _doubt(self, kind: Kind, message: str) -> Doubtful:
        label = self.account.label
        if kind is Kind.ERROR_BODY:
            return Doubtful(ErrorCode.GENERATION_FAILED, message or f"{label} reports an error without a reason")
        if kind is Kind.RECHECK:
            return Doubtful(ErrorCode.RESULT_INVALID, f"{label} reports success without an address")
        fault = f"gave no address that can be handed on{message and ': '}{message}"
        return Doubtful(ErrorCode.RESULT_INVALID, f"{label} {fault}", final=True)

    def _failure(self, verdict: Verdict, message: str) -> Failed | Doubtful:
        word = self._clean(verdict.word or "")
        message = message or f"{self.account.label} reports {word} and gives no reason"
        if self.failure_words is None or word.lower() in self.failure_words:
            return Failed(message)
        return Doubtful(ErrorCode.GENERATION_FAILED, message)

    def _objection(self, answer: Response) -> Report:
        text = response_text(answer.body)
        if denies_job(text):
            return UnknownJob(self._said(answer))
        return Doubtful(ErrorCode.GENERATION_FAILED, self._said(answer))

    def _no_answer(self, answer: Response) -> Unavailable:
        status, account = answer.status, self.account
        if status in (401, 403):
            message = f"{account.label} refused our credentials with {status}: check {account.key_setting}"
            return Unavailable(message, answer.retry_after, unauthorized=True)
        if 300 <= status < 400:
            mend = f"which is never followed: check {account.url_setting}"
            return self._unavailable(answer, f"a redirect, {mend}")
        message = self._said(answer)
        return Unavailable(message, answer.retry_after, throttled=status == 429)

    def _unavailable(self, answer: Response | None, fault: str) -> Unavailable:
        status = answer.status if answer else 200
        return Unavailable(f"{self.account.label} answered {status}, {fault}", answer.retry_after if answer else None)

    def _said(self, answer: Response) -> str:
        return describe_response(answer, self.account)

    def _clean(self, text: str) -> str:
        return clean(text, self.account.secrets)

    def _notice(self, verdict: Verdict) -> None:
        if verdict.known:
            return
        word = self._clean((verdict.word or "").lower())[:32]
        if len(self._seen) < MAX_UNKNOWN_WORDS:
            self._seen.add(word)
        self.unknown_status(word if word in self._seen else "other")


def describe_response(answer: Response, account: Account) -> str:
    """Write one line about an answer that is no success: its status, and what the provider says of it."""
    text = clean(response_text(answer.body), account.secrets)
    head = f"{account.label} answered {answer.status}"
    return f"{head}: {text}"[:1000] if text else head


def refusal_text(document: object) -> str | None:
    """Find what a body with `success: false` says; None for every other body."""
    if isinstance(document, dict) and document.get("success") is False:
        return any_text(document)
    return None
