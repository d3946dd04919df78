"""Whether a provider knows our key, by a question about the account that costs nothing."""

from typing import TypeVar

from providers.base import VerificationFailed
from providers.http.client import NoResponse, ProviderHttp
from providers.parsing.answers import Answers
from providers.parsing.status import describe_response

T = TypeVar("T")


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
