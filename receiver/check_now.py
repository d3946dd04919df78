"""Check a video at its provider now, and not when the next check would fall due."""

from starlette.requests import Request
from starlette.responses import Response

from intake.auditing import log_action
from intake.context import Context
from jobs import check_claims, view
from receiver import problems
from receiver.one_video import video_id_of
from schemas.audit import AuditAction
from schemas.problem import ProblemCode, Refusal
from schemas.video import Video
from store.transaction import Tx


class CheckNow:
    """The route `/v1/videos/{id}/check`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def check(self, request: Request) -> Response:
        """Make the video's next check due: 202, with the video as it is. The answer shows in it moments later."""
        video_id, caller = video_id_of(request), request.scope["reelbus.caller"]
        pause = self._context.settings.poll_min
        hastened, found = await self._context.write(_hasten, video_id, caller, pause, now=self._context.now())
        if found is None:
            return problems.not_found()
        if not hastened:
            raise Refusal(
                ProblemCode.NOT_GENERATING,
                f"the video is {found.status}: no provider has it in work, so there is nobody to ask",
            )
        log_action(AuditAction.CHECKED, actor=caller, subject=video_id)
        return Response(found.model_dump_json(), 202, media_type="application/json")


def _hasten(tx: Tx, video_id: str, caller: str, pause: float, *, now: float) -> tuple[bool, Video | None]:
    hastened = check_claims.hasten(tx, video_id, caller=caller, pause=pause, now=now)
    return hastened, view.video(tx, video_id)
