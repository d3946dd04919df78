"""Cancel a video, as far as that can be done."""

from starlette.requests import Request
from starlette.responses import Response

from intake.auditing import log_action
from intake.context import Context
from jobs import cancelling
from jobs.cancelling import CannotCancel
from receiver import problems
from receiver.one_video import video_id_of
from schemas.audit import AuditAction
from schemas.names import CancelOutcome
from schemas.problem import ProblemCode, Refusal


class Cancellations:
    """The route `/v1/videos/{id}/cancel`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def cancel(self, request: Request) -> Response:
        """Stop a video: 200 where that is decided, 202 while its provider is asked; refused where nobody can."""
        video_id = video_id_of(request)
        caller: str = request.scope["reelbus.caller"]
        outcome = await self._context.write(cancelling.cancel, video_id, actor=caller, now=self._context.now())
        if outcome is None:
            return problems.not_found()
        if isinstance(outcome, CannotCancel):
            raise Refusal(ProblemCode.CANCEL_UNSUPPORTED, outcome.why)
        log_action(AuditAction.CANCELLED, actor=caller, subject=video_id, detail=outcome.outcome)
        status = 202 if outcome.outcome is CancelOutcome.WISHED else 200
        return Response(outcome.model_dump_json(), status, media_type="application/json")
