"""The job API: make a video, look at one or many, have its end announced again."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from intake import accept as accepting
from intake.accept import RawRequest
from intake.auditing import log_action
from intake.context import Context
from intake.parsing import read_json
from jobs import audit, feed, ledger, timeline, view
from receiver import problems
from receiver.bodies import Body, read_body
from receiver.forms import read_form
from receiver.listing import read_query
from receiver.one_video import video_id_of
from receiver.origin import origin_of
from receiver.reading import left_out, read_video
from receiver.redelivery_limit import RedeliveryLimit
from receiver.retries import Retries
from schemas.audit import AuditAction
from schemas.problem import ProblemCode, Refusal
from schemas.status import Redelivery
from schemas.video import Document, Timeline
from store.transaction import Tx


class Videos:
    """The routes under `/v1/videos`, and the credits."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._redeliveries = RedeliveryLimit(context.limits)

    async def create(self, request: Request) -> Response:
        """Accept a request for a video."""
        context, origin = self._context, origin_of(request)
        decode = _decoder(request)
        body = await read_body(request, context, origin.caller)
        try:
            read = partial(decode, body)
            accepted = await accepting.accept(context, read, origin, size=body.size)
        finally:
            body.close()
        here = f"/v1/videos/{accepted.video.id}"
        told = {"self": here, "events": f"{here}/events", "console": f"/console/videos/{accepted.video.id}"}
        links = ", ".join(f'<{address}>; rel="{relation}"' for relation, address in told.items())
        headers = {"location": here, "link": links}
        return _document(accepted.video, 202 if accepted.created else 200, headers)

    async def timeline(self, request: Request) -> Response:
        """Show all that happened to a video."""
        read = partial(timeline.of_video, now=self._context.now())
        found = await read_video(self._context, read, video_id_of(request))
        return problems.not_found() if found is None else _document(self._masked(found))

    def _masked(self, shown: Timeline) -> Timeline:
        """Take our own addresses' tokens out: a webhook's body may repeat the address that it was sent to."""
        mask = self._context.signer.masked
        items = [entry.model_copy(update={"detail": entry.detail and mask(entry.detail)}) for entry in shown.items]
        return shown.model_copy(update={"items": items})

    async def events(self, request: Request) -> Response:
        """Show a video's events."""
        found = await self._context.store.read(feed.of_video, video_id_of(request))
        return problems.not_found() if found is None else _document(found)

    async def list(self, request: Request) -> Response:
        """Show videos, newest first."""
        page = read_query(request.query_params)
        read = partial(view.page, cursor=page.cursor, limit=page.limit, unreadable=left_out)
        found = await self._context.store.read(read, page.wanted)
        if found.next_cursor is None:
            return _document(found)
        following = request.url.include_query_params(cursor=found.next_cursor)
        return _document(found, headers={"link": f'<{following.path}?{following.query}>; rel="next"'})

    async def redeliver(self, request: Request) -> Response:
        """Publish a video's terminal event again."""
        video_id = video_id_of(request)
        caller: str = request.scope["reelbus.caller"]
        self._redeliveries.hit(caller)
        event_id = await self._context.write(_redeliver, video_id, caller, self._context.now())
        if event_id is None:
            found = await self._context.store.read(view.video, video_id)
            if found is None:
                return problems.not_found()
            raise Refusal(
                ProblemCode.NO_TERMINAL_EVENT,
                f"the video is {found.status} and has no terminal event yet; wait until it is ready or failed",
            )
        log_action(AuditAction.REDELIVERED, actor=caller, subject=video_id)
        return _document(Redelivery(id=video_id, event_id=event_id), 202)

    async def retry(self, request: Request) -> Response:
        """Make a failed video again."""
        return await Retries(self._context).retry(request, video_id_of(request))

    async def credits(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Show the credits of each provider that is used."""
        enabled = await self._context.enabled.known() or ()
        found = await self._context.store.read(ledger.shown_credits, enabled)
        return JSONResponse({provider: shown.model_dump(mode="json") for provider, shown in found.items()})


def _redeliver(tx: Tx, video_id: str, caller: str, now: float) -> str | None:
    event_id = feed.redeliver(tx, video_id)
    if event_id is not None:
        audit.record(tx, AuditAction.REDELIVERED, actor=caller, subject=video_id, now=now)
    return event_id


def _document(shown: Document, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(shown.model_dump_json(), status, headers, "application/json")


def _decoder(request: Request) -> Callable[[Body], RawRequest]:
    """Choose how to decode the body. Raises `Refusal` for a type that no request has."""
    headers = dict(request.headers.raw)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "compressed bodies are not taken; send it as it is")
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _from_json
    if kind == "multipart/form-data":
        return partial(_from_form, content_type)
    raise Refusal(
        ProblemCode.UNSUPPORTED_MEDIA_TYPE,
        f"the content type {kind[:100] or '(none)'} is not taken; send application/json or multipart/form-data",
    )


def _from_json(body: Body) -> RawRequest:
    return RawRequest(read_json(body.read()))


def _from_form(content_type: str, body: Body) -> RawRequest:
    return read_form(content_type, body.pieces())
