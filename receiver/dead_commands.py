"""Parked commands for operators: see why each was parked, put it back, or take it away."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from intake.auditing import log_action
from intake.context import Context
from intake.dead_commands import DeadCommandQueue, DeadCommandsUnavailable
from jobs import audit
from receiver import problems
from schemas.audit import AuditAction
from schemas.dead_commands import DeadCommands
from schemas.problem import ProblemCode, Refusal

T = TypeVar("T")

LISTED = 100
"""How many are shown, the oldest ones."""


class DeadCommandRoutes:
    """The routes under `/v1/dead-commands`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._one_at_a_time = asyncio.Lock()  # each look holds every letter for a moment, and two would hide them

    async def list(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Show the oldest parked commands."""
        found = await self._done(self._queue().listed(limit=LISTED))
        return Response(DeadCommands(items=found).model_dump_json(), media_type="application/json")

    async def requeue(self, request: Request) -> Response:
        """Put a command back into its queue."""
        command_id: str = request.path_params["id"]
        there = await self._done(self._queue().requeue(command_id))
        return await self._answer(request, AuditAction.COMMAND_REQUEUED, command_id, there=there)

    async def drop(self, request: Request) -> Response:
        """Take a command away for good."""
        command_id: str = request.path_params["id"]
        there = await self._done(self._queue().drop(command_id))
        return await self._answer(request, AuditAction.COMMAND_DROPPED, command_id, there=there)

    async def _answer(self, request: Request, action: AuditAction, command_id: str, *, there: bool) -> Response:
        if not there:
            return problems.not_found()
        caller: str = request.scope["reelbus.caller"]
        subject = command_id[:200]
        # The broker has done it: what cannot be noted now is in the log at least.
        log_action(action, actor=caller, subject=subject)
        await self._context.write_small(audit.record, action, actor=caller, subject=subject, now=self._context.now())
        return Response(status_code=204)

    def _queue(self) -> DeadCommandQueue:
        if self._context.dead_commands is None:
            raise Refusal(ProblemCode.NOT_READY, "this process knows no broker", retry_after=problems.RETRY_SECONDS)
        return self._context.dead_commands

    async def _done(self, doing: Awaitable[T]) -> T:
        async with self._one_at_a_time:
            try:
                return await doing
            except DeadCommandsUnavailable as error:
                detail = f"the parked commands cannot be reached: {error}"
                raise Refusal(ProblemCode.NOT_READY, detail, retry_after=problems.RETRY_SECONDS) from error
