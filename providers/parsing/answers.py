"""What the answers of providers with documented states have in common; the table of its words is each one's own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from providers.http.account import Account
from providers.http.responses import Response
from providers.parsing.error_text import clean, is_web_page
from providers.parsing.json import Unreadable, decode
from providers.parsing.status import MAX_UNKNOWN_WORDS, UnknownStatus, describe_response
from providers.reports import Doubtful, Ready, Unavailable, Working
from schemas.addresses import output_url_usable
from schemas.names import ErrorCode

MAX_URLS = 16
MAX_EVIDENCE_CHARACTERS = 500


@dataclass(slots=True)
class Answers:
    """Reads one provider's answers; `unknown_status` is told each state that no page of its names."""

    account: Account
    unknown_status: UnknownStatus
    _seen: set[str] = field(default_factory=set)

    def document(self, answer: Response) -> dict[str, object]:
        """Give the JSON object of an answer; empty where it is none."""
        document = decode(answer.body)
        return document if isinstance(document, dict) else {}

    def no_answer(self, answer: Response) -> Unavailable:
        """Say that an answer tells nothing of the job; 401 and 403 count as credentials refused."""
        message = describe_response(answer, self.account)
        if answer.status in (401, 403) and not is_web_page(answer.body):
            mend = f"{message}: check {self.account.key_setting}"
            return Unavailable(mend, answer.retry_after, unauthorized=True)
        if answer.is_success:
            fault = "something that is not JSON" if isinstance(decode(answer.body), Unreadable) else "another document"
            message = f"{self.account.label} answered {answer.status} with {fault}"
        return Unavailable(message, answer.retry_after, throttled=answer.status == 429)

    def ready(self, candidates: Iterable[object]) -> Ready | Doubtful:
        """Give the usable ones of what should be addresses of videos; doubt where there is none."""
        given = [value.strip() for value in candidates if isinstance(value, str) and value.strip()]
        allow = self.account.allow_private_outputs
        usable = [url for url in dict.fromkeys(given) if output_url_usable(url, allow_private=allow)]
        if usable:
            return Ready(tuple(usable[:MAX_URLS]))
        if given:
            fault = f"{self.account.label} gave no address that can be handed on"
            return Doubtful(ErrorCode.RESULT_INVALID, fault, final=True)
        return Doubtful(ErrorCode.RESULT_INVALID, f"{self.account.label} reports success without an address")

    def unheard(self, word: object) -> Working:
        """Take a state that nobody documented for one of work, and tell of it."""
        said = self.clean(str(word).lower())[:32]
        if len(self._seen) < MAX_UNKNOWN_WORDS:
            self._seen.add(said)
        self.unknown_status(said if said in self._seen else "other")
        return Working()

    def clean(self, text: object) -> str:
        """Make a provider's text fit to keep and show."""
        return clean(text, self.account.secrets) if isinstance(text, str) else ""

    def evidence(self, name: str, value: object) -> str:
        """Write what a provider tells of a price, as it told it."""
        return self.clean(f"{name}: {json.dumps(value, ensure_ascii=True)}")[:MAX_EVIDENCE_CHARACTERS]
