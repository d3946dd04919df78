"""Who takes our events, for operators, the console and whoever submits."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response

from intake.context import Context
from receiver import problems
from schemas.problem import ProblemCode, Refusal
from schemas.subscriptions import Subscriptions

_FRESH_SECONDS = 5.0
_FAULT_SECONDS = 30.0
"""For how long what could not be asked is not asked again, so that nobody waits for it each time."""


class SubscriptionRoutes:
    """The route `/v1/subscriptions`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._one_at_a_time = asyncio.Lock()
        self._newest: tuple[float, Subscriptions] | None = None

    async def list(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Show who is bound to the exchange of events, as of a few seconds ago."""
        async with self._one_at_a_time:
            found = await self._found()
        return Response(found.model_dump_json(), media_type="application/json")

    async def _found(self) -> Subscriptions:
        desk = self._context.subscriptions
        if desk is None:
            raise Refusal(ProblemCode.NOT_READY, "this process knows no broker", retry_after=problems.RETRY_SECONDS)
        if self._newest is not None:
            at, known = self._newest
            if time.monotonic() - at < (_FRESH_SECONDS if known.fault is None else _FAULT_SECONDS):
                return known
        found = await desk.look(await self._context.enabled.known() or ())
        self._newest = (time.monotonic(), found)
        return found
