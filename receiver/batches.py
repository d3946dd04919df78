"""`POST /v1/videos/batch`: many requests for videos in one body, each with a result of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from intake import accept as accepting
from intake.accept import Origin
from intake.context import SMALL_BODY, Context
from intake.parsing import idempotency_key_faults, read_json
from receiver import problems
from receiver.bodies import Body, read_body
from receiver.origin import origin_of
from schemas.batch import KEY_FIELD, BatchResult, BatchResults, read_batch
from schemas.problem import ProblemCode, Refusal
from store.database import StoreUnavailable

_NUMBERED = "\x1f"
"""Between the key of a batch and the number of a request in it; no key that a caller can send has this character."""


class Batches:
    """The route of batches."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, request: Request) -> Response:
        """Accept each request of a batch or say why not; the batch itself is answered with 207."""
        _insist_on_json(request)
        origin = origin_of(request)
        if origin.faults:
            fault = origin.faults[0]
            raise Refusal(ProblemCode.INVALID_REQUEST, f"{fault.field} {fault.message}", errors=[*origin.faults])
        body = await read_body(request, self._context, origin.caller)
        try:
            results = await self._results(body, origin)
        finally:
            body.close()
        return Response(BatchResults(items=results).model_dump_json(), 207, media_type="application/json")

    async def _results(self, body: Body, origin: Origin) -> list[BatchResult]:
        if body.size <= SMALL_BODY:
            return await self._accept(read_batch(read_json(body.read())), origin, body.size)
        # Held for the whole batch: whoever waited for more room while holding some could wait for ever.
        async with self._context.room_for(body.size):
            values = await asyncio.to_thread(lambda: read_batch(read_json(body.read())))
            return await self._accept(values, origin, body.size)

    async def _accept(self, requests: Sequence[object], origin: Origin, size: int) -> list[BatchResult]:
        """Accept all at once, so that they share commits."""
        outcomes = await asyncio.gather(
            *(self._result(values, origin, number, size) for number, values in enumerate(requests)),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, BatchResult)]

    async def _result(self, values: object, origin: Origin, number: int, size: int) -> BatchResult:
        try:
            own, fields = _own(values, origin, number)
            accepted = await accepting.accept_decoded(self._context, fields, own, size=size)
        except StoreUnavailable:
            return _refused(problems.store_unavailable())
        except Refusal as refusal:
            return _refused(refusal)
        return BatchResult(status=202 if accepted.created else 200, video=accepted.video, problem=None)


def _own(values: object, origin: Origin, number: int) -> tuple[Origin, object]:
    """Give the origin of one request, with its own idempotency key, and its fields."""
    if not isinstance(values, dict) or KEY_FIELD not in values:
        key = None if origin.idempotency_key is None else f"{origin.idempotency_key}{_NUMBERED}{number}"
        return replace(origin, idempotency_key=key), values
    fields = {name: value for name, value in values.items() if name != KEY_FIELD}
    key = values[KEY_FIELD]
    if not isinstance(key, str):
        raise Refusal(ProblemCode.INVALID_REQUEST, f"{KEY_FIELD} must be a string")
    return replace(origin, idempotency_key=key, faults=idempotency_key_faults([key])), fields


def _refused(refusal: Refusal) -> BatchResult:
    return BatchResult(status=refusal.problem.status, video=None, problem=refusal.problem)


def _insist_on_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "a batch is taken as application/json, uncompressed")
