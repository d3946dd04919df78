"""One video: show it, wait for its end, erase it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from intake.auditing import log_action
from intake.context import Context
from jobs import erasure, view
from jobs.erasure import NotFinished
from receiver import etags, problems
from receiver.listing import VIDEO_ID
from receiver.reading import read_video
from receiver.waiting import Waiting, preferred_wait
from schemas.audit import AuditAction
from schemas.names import VideoStatus
from schemas.problem import ProblemCode, Refusal
from schemas.video import Video
from store.database import StoreUnavailable

ENDED = frozenset({VideoStatus.READY, VideoStatus.FAILED})


class OneVideo:
    """The routes of `/v1/videos/{id}` itself."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting = Waiting(context)

    async def show(self, request: Request) -> Response:
        """Show a video; with `Prefer: wait=N` when it has ended, or is not what `If-None-Match` names any more."""
        video_id = video_id_of(request)
        found = await read_video(self._context, view.video, video_id)
        seconds, headers = preferred_wait(request), {}
        if found and seconds and self._waiting.has_room(request.scope["reelbus.caller"]):
            headers["preference-applied"] = f"wait={seconds}"
            if not _is_news(request, found):
                found = await self._changed(request, video_id, seconds)
        if found is None:
            return problems.not_found()
        return etags.tagged(request, found.model_dump_json(), headers)

    async def _changed(self, request: Request, video_id: str, seconds: int) -> Video | None:
        """Wait for news of a video, and show it as it is then."""

        async def has_news() -> bool:
            found = await read_video(self._context, view.video, video_id)
            return found is None or _is_news(request, found)

        await self._waiting.until(video_id, has_news, request=request, seconds=seconds)
        await _insist_on_key(request)
        return await read_video(self._context, view.video, video_id)

    async def erase(self, request: Request) -> Response:
        """Erase a video that has ended, with everything that is kept of it."""
        video_id = video_id_of(request)
        caller: str = request.scope["reelbus.caller"]
        outcome = await self._context.write(erasure.erase, video_id, actor=caller, now=self._context.now())
        if outcome is None:
            return problems.not_found()
        if isinstance(outcome, NotFinished):
            raise Refusal(ProblemCode.NOT_FINISHED, outcome.why)
        log_action(AuditAction.ERASED, actor=caller, subject=video_id)
        with suppress(StoreUnavailable):  # a file without a video is removed later
            await self._context.store.pictures.remove(outcome.pictures)
        return Response(status_code=204)


def video_id_of(request: Request) -> str:
    """Read the id in an address. Raises `Refusal` for what no video can be called."""
    video_id: str = request.path_params["id"]
    if not VIDEO_ID.fullmatch(video_id):
        raise Refusal(ProblemCode.NOT_FOUND, "there is no video of this id; list them with GET /v1/videos")
    return video_id


def _is_news(request: Request, found: Video) -> bool:
    if "if-none-match" in request.headers:
        return not etags.names(request, etags.etag_of(found.model_dump_json()))
    return found.status in ENDED


async def _insist_on_key(request: Request) -> None:
    """Refuse a caller whose key was disabled or expired while it waited."""
    still_admitted: Callable[[], Awaitable[bool]] | None = request.scope.get("reelbus.still_admitted")
    if still_admitted is not None and not await still_admitted():
        raise Refusal(ProblemCode.UNAUTHORIZED, "the API key was disabled or expired while the request waited")
