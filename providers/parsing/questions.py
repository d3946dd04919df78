"""Questions that cost nothing, for providers whose pages name every state: about a job, and about the account."""

from collections.abc import Callable
from typing import TypeVar

from providers.base import VerificationFailed
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.parsing.answers import Answers
from providers.parsing.error_text import is_web_page
from providers.parsing.status import describe_response
from providers.reports import Report, Unavailable, UnknownJob

T = TypeVar("T")


async def ask_job(
    http: ProviderHttp, path: str, answers: Answers, *, report: Callable[[dict[str, object], Response], Report]
) -> Report:
    """Ask about a job that has an address of its own; `report` reads the document of a success."""
    try:
        answer = await http.get(path)
    except NoResponse as error:
        return Unavailable(str(error))
    if answer.status in (404, 410) and not is_web_page(answer.body):
        return UnknownJob(describe_response(answer, http.account))
    if not answer.is_success:
        return answers.no_answer(answer)
    return report(answers.document(answer), answer)


async def ask_account(http: ProviderHttp, path: str, answers: Answers, *, field: str, kind: type[T]) -> T:
    """Give the field by which an answer shows that it is about the account.

    Raises `VerificationFailed`, which names the setting to check, for any other answer and for none.
    """
    try:
        answer = await http.get(path)
    except NoResponse as error:
        raise VerificationFailed(f"{error}: check {http.account.url_setting}") from error
    value = answers.document(answer).get(field)
    if answer.status != 200 or not isinstance(value, kind):
        raise VerificationFailed(f"{describe_response(answer, http.account)}: check {http.account.key_setting}")
    return value
