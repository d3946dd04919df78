"""Problem documents after RFC 9457: what went wrong, told so that the caller can mend it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.video import Document

CONTENT_TYPE = "application/problem+json"


class ProblemCode(StrEnum):
    """The stable codes of every error that the HTTP API and the command queue can answer."""

    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_TIMEOUT = "request_timeout"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    NO_TERMINAL_EVENT = "no_terminal_event"
    NOT_FINISHED = "not_finished"
    NOT_FAILED = "not_failed"
    NOT_GENERATING = "not_generating"
    RETRY_MAY_PAY_TWICE = "retry_may_pay_twice"
    CANCEL_UNSUPPORTED = "cancel_unsupported"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INVALID_REQUEST = "invalid_request"
    IMAGE_REJECTED = "image_rejected"
    MOTION_UNSUPPORTED = "motion_unsupported"
    PROVIDER_DISABLED = "provider_disabled"
    RATE_LIMITED = "rate_limited"
    BUDGET_EXHAUSTED = "budget_exhausted"
    OVERLOADED = "overloaded"
    NOT_READY = "not_ready"


class FieldFault(Document):
    """One fault of one field, named as the caller wrote it: `metadata.k`."""

    field: str
    message: str


class Problem(Document):
    """The body of every error answer; `errors` lists every fault at once with `invalid_request`."""

    type: str
    title: str
    status: int
    detail: str
    code: ProblemCode
    errors: Annotated[list[FieldFault] | None, Field(exclude_if=lambda errors: errors is None)] = None


_STATUS = {
    ProblemCode.BAD_REQUEST: (400, "The request could not be read"),
    ProblemCode.UNAUTHORIZED: (401, "A valid API key is needed"),
    ProblemCode.FORBIDDEN: (403, "This API key may not do that"),
    ProblemCode.NOT_FOUND: (404, "There is nothing here"),
    ProblemCode.METHOD_NOT_ALLOWED: (405, "This address does not take that method"),
    ProblemCode.REQUEST_TIMEOUT: (408, "The request body stalled"),
    ProblemCode.IDEMPOTENCY_CONFLICT: (409, "The idempotency key belongs to another request"),
    ProblemCode.NO_TERMINAL_EVENT: (409, "The video has no terminal event yet"),
    ProblemCode.NOT_FINISHED: (409, "The video is still in work"),
    ProblemCode.NOT_GENERATING: (409, "No provider has the video in work"),
    ProblemCode.NOT_FAILED: (409, "Only a failed video can be retried"),
    ProblemCode.RETRY_MAY_PAY_TWICE: (409, "The failed video may have been paid for"),
    ProblemCode.CANCEL_UNSUPPORTED: (409, "The provider cannot be asked to stop the job"),
    ProblemCode.PAYLOAD_TOO_LARGE: (413, "The request body is too large"),
    ProblemCode.UNSUPPORTED_MEDIA_TYPE: (415, "The content type is not supported"),
    ProblemCode.INVALID_REQUEST: (422, "The request is not valid"),
    ProblemCode.IMAGE_REJECTED: (422, "The picture cannot be used"),
    ProblemCode.MOTION_UNSUPPORTED: (422, "No chosen provider has this motion"),
    ProblemCode.PROVIDER_DISABLED: (422, "The provider is switched off"),
    ProblemCode.RATE_LIMITED: (429, "Too many requests"),
    ProblemCode.BUDGET_EXHAUSTED: (429, "The API key's videos of today are used up"),
    ProblemCode.OVERLOADED: (503, "The service is overloaded"),
    ProblemCode.NOT_READY: (503, "The service is not ready"),
}


class Refusal(Exception):
    """A request that cannot be served, carrying the problem document to answer with.

    `retry_after` is in seconds and becomes the `Retry-After` header.
    """

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        errors: list[FieldFault] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem(code, detail, errors)
        self.retry_after = retry_after


def problem(code: ProblemCode, detail: str, errors: list[FieldFault] | None = None) -> Problem:
    """Write the problem document for a code; its type is the address of its documentation."""
    status, title = _STATUS[code]
    return Problem(type=f"/docs/problems#{code}", title=title, status=status, detail=detail, code=code, errors=errors)


def status_of(code: ProblemCode) -> int:
    """Name the HTTP status that goes with a code."""
    return _STATUS[code][0]
