"""The answers of providers that no page documents, for operators."""

import json

from starlette.requests import Request
from starlette.responses import Response

from intake.context import Context
from schemas.drift import Drift, UndocumentedAnswer
from schemas.times import rfc3339
from store import answer_shapes
from store.answer_shapes import AnswerShape


class DriftRoutes:
    """The route `/v1/drift`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Show every shape of answers that was never documented."""
        kept = await self._context.store.read(answer_shapes.listed)
        return Response(Drift(items=[_shown(row) for row in kept]).model_dump_json(), media_type="application/json")


def _shown(row: AnswerShape) -> UndocumentedAnswer:
    times = {"first_at": rfc3339(row.first_at), "last_at": rfc3339(row.last_at)}
    return UndocumentedAnswer.model_validate(row._asdict() | {"body": json.loads(row.body)} | times)
