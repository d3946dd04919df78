"""From the answer to a submission to what it came to: the one place that decides whether money may be spent.

A submission may be repeated only where the provider certainly did not take it: a status that says so before
any work is done. Everything else that is no success could hide an accepted, paid job.
"""

from providers.http.account import Account
from providers.http.responses import Response
from providers.parsing.error_text import clean, is_web_page, refusal_code, response_text
from providers.parsing.status import describe_response
from providers.reports import NotAcceptedYet, OutcomeUnknown, Refused, SubmissionOutcome
from schemas.names import ErrorCode


def interpret_status(answer: Response, account: Account) -> SubmissionOutcome | None:
    """Say what an answer other than a success (2xx) means; None for a success."""
    status = answer.status
    if 200 <= status < 300:
        return None
    message = describe_response(answer, account)
    if status in (429, 503):
        return NotAcceptedYet(message, answer.retry_after, throttled=status == 429)
    if status in (404, 410) and is_web_page(answer.body):
        # A gateway's words, as while a new release is put in place: the provider itself was not reached.
        return NotAcceptedYet(message, answer.retry_after)
    if 400 <= status < 500:
        return _refused(answer, message, account)
    if 300 <= status < 400:
        return OutcomeUnknown(f"{message}, a redirect, which is never followed: check {account.url_setting}")
    return OutcomeUnknown(message)


def _refused(answer: Response, message: str, account: Account) -> Refused:
    if answer.status in (401, 403):
        mend = f"{message}. Check {account.key_setting}"
        return Refused(ErrorCode.AUTHENTICATION_FAILED, mend, unauthorized=True)
    if answer.status == 402:
        return Refused(ErrorCode.OUT_OF_CREDITS, message)
    return Refused(refusal_code(response_text(answer.body)), message)


def refused_by_body(text: str, account: Account) -> Refused:
    """Say what a success that says `success: false` means: a refusal, whatever the status."""
    message = clean(text, account.secrets) or f"{account.label} refused without a reason"
    return Refused(refusal_code(text), message)


def unreadable(account: Account) -> OutcomeUnknown:
    """Say what a success without a readable job means: perhaps there is one, and nobody can name it."""
    return OutcomeUnknown(f"{account.label} answered with success, but named no job that can be asked about")
