"""Log what came of a submission, at the level that it means to an operator."""

from typing import assert_never

import structlog

from process.provider_log import Answering, ProviderLog
from providers.reports import Accepted, NotAcceptedYet, OutcomeUnknown, Refused, SubmissionOutcome
from schemas.names import ErrorCode
from store.attempts import AttemptRow

log = structlog.get_logger(__name__)

_providers = ProviderLog()


def log_outcome(attempt: AttemptRow, answer: SubmissionOutcome) -> None:
    """Write one line: accepted, to be tried again, refused for good, or of unknown outcome, with the reason."""
    provider = str(attempt.provider)
    line = log.bind(video=attempt.video_id, provider=provider, attempt=attempt.number)
    match answer:
        case Accepted():
            _providers.note(provider, Answering.WELL)
            line.info("video submitted", provider_job_id=answer.provider_job_id, credits_remaining=answer.remaining)
        case NotAcceptedYet():
            line.warning("submission not accepted", reason=answer.message, tries=attempt.tries + 1)
        case Refused():
            if answer.unauthorized:
                _providers.note(provider, Answering.UNAUTHORIZED, answer.message)
            if answer.code is ErrorCode.OUT_OF_CREDITS:
                _providers.note(provider, Answering.OUT_OF_CREDITS, answer.message)
            line.info("submission refused", code=answer.code, reason=answer.message)
        case OutcomeUnknown(message):
            line.error("submission of unknown outcome", reason=message)
        case unreachable:
            assert_never(unreachable)
