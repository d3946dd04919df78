"""Answer with problem documents."""

from starlette.responses import Response

from schemas.problem import CONTENT_TYPE, Problem, ProblemCode, Refusal, problem

RETRY_SECONDS = 5
"""When to try again after what time alone can mend."""


def answer(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    """Turn a refusal into its answer."""
    extra = dict(headers or {})
    if refusal.retry_after is not None:
        extra["retry-after"] = str(refusal.retry_after)
    if refusal.problem.status == 401:
        extra["www-authenticate"] = 'Bearer realm="reelbus"'
    return document(refusal.problem, extra)


def document(shown: Problem, headers: dict[str, str] | None = None) -> Response:
    """Send a problem document."""
    return Response(
        shown.model_dump_json(exclude_none=True),
        shown.status,
        {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})},
        CONTENT_TYPE,
    )


def not_found() -> Response:
    """Answer for an unknown address; the same to the byte wherever it is not ours to tell more."""
    return document(problem(ProblemCode.NOT_FOUND, "there is nothing at this address"))


def method_not_allowed(allowed: str) -> Response:
    """Answer for a method that an address does not take."""
    shown = problem(ProblemCode.METHOD_NOT_ALLOWED, f"this address takes {allowed}; use one of these methods")
    return document(shown, {"allow": allowed})


def store_unavailable() -> Refusal:
    """Say that nothing can be kept now."""
    detail = "the store cannot be used now; nothing was changed, try again"
    return Refusal(ProblemCode.NOT_READY, detail, retry_after=RETRY_SECONDS)


def bad_request(detail: str) -> bytes:
    """Give a whole answer, to the byte, for what is no HTTP request; the connection is closed after it."""
    body = problem(ProblemCode.BAD_REQUEST, detail).model_dump_json(exclude_none=True).encode()
    head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body


def internal() -> Response:
    """Answer for a fault of our own; what it was is in the log only."""
    return Response(
        '{"type":"about:blank","title":"Internal error","status":500,"code":"internal_error",'
        '"detail":"the service failed to answer this request; its log says why"}',
        500,
        {"cache-control": "no-store", "x-content-type-options": "nosniff"},
        CONTENT_TYPE,
    )
