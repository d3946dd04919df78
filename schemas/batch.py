"""Many requests at once, and what became of each."""

from typing import Annotated, NoReturn

from pydantic import Field

from schemas.problem import FieldFault, Problem, ProblemCode, Refusal
from schemas.video import Document, Video

MOST = 100
"""Requests in one batch."""

KEY_FIELD = "idempotency_key"
"""What a request of a batch may have beside its fields: the header `Idempotency-Key` of a request of its own."""


class BatchResult(Document):
    """What became of one request: the status that it would have had alone, with the video or the problem."""

    status: Annotated[int, Field(examples=[202])]
    video: Video | None
    problem: Problem | None


class BatchResults(Document):
    """The results, in the order of the requests."""

    items: list[BatchResult]


def read_batch(values: object) -> list[object]:
    """Take the requests out of a decoded body: a list, or an object with the list as `requests`. Raises `Refusal`."""
    if isinstance(values, dict) and values.keys() == {"requests"}:
        values = values["requests"]
    if not isinstance(values, list):
        _refuse("must be a list of requests, or an object with such a list as its only member `requests`", "body")
    if not 1 <= len(values) <= MOST:
        _refuse(f"must hold 1 to {MOST} requests, this holds {len(values)}", "requests")
    return values


def _refuse(message: str, field: str) -> NoReturn:
    raise Refusal(ProblemCode.INVALID_REQUEST, f"{field} {message}", errors=[FieldFault(field=field, message=message)])
