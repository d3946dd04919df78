"""The job API: make a video, look at one or many, have its end announced again."""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import TypedDict, TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobs import audit, feed, ledger, timeline, view
from receiver import intake, problems
from receiver.auditing import tell
from receiver.bodies import Body, read_body
from receiver.context import Context
from receiver.forms import read_form
from receiver.intake import Origin, RawRequest
from receiver.keyring import Identity
from receiver.redelivery_limit import RedeliveryLimit
from schemas.audit import AuditAction
from schemas.names import Provider, VideoStatus
from schemas.problem import FieldFault, ProblemCode, Refusal
from schemas.request import idempotency_key_faults, read_json
from schemas.status import Redelivery
from schemas.video import Document, Timeline
from store.transaction import Tx

E = TypeVar("E", bound=StrEnum)

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DEFAULT_PAGE, _LARGEST_PAGE = 50, 200
_QUERY = ("status", "provider", "limit", "cursor")


class Videos:
    """The routes under `/v1/videos`, and the credits."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._redeliveries = RedeliveryLimit(context.limits)

    async def create(self, request: Request) -> Response:
        """Accept a request for a video."""
        context = self._context
        keys = [value.decode("latin-1") for name, value in request.headers.raw if name == b"idempotency-key"]
        origin = Origin(
            caller=request.scope["reelbus.caller"],
            transport="http",
            idempotency_key=keys[0] if keys else None,
            faults=idempotency_key_faults(keys),
            budget=_budget(request),
        )
        decode = _decoder(request)
        body = await read_body(request.receive, request.headers, context, origin.caller)
        try:
            read = partial(decode, body)
            accepted = await intake.accept(context, read, origin, size=body.size)
        finally:
            body.close()
        headers = {"location": f"/v1/videos/{accepted.video.id}"}
        return _document(accepted.video, 202 if accepted.created else 200, headers)

    async def show(self, request: Request) -> Response:
        """Show one video."""
        found = await self._context.store.read(view.video, _video_id(request))
        return problems.not_found() if found is None else _document(found)

    async def timeline(self, request: Request) -> Response:
        """Show all that happened to a video."""
        found = await self._context.store.read(timeline.of_video, _video_id(request))
        return problems.not_found() if found is None else _document(self._masked(found))

    def _masked(self, shown: Timeline) -> Timeline:
        """Take our own addresses' tokens out: a webhook's body may repeat the address that it was sent to."""
        mask = self._context.signer.masked
        items = [entry.model_copy(update={"detail": entry.detail and mask(entry.detail)}) for entry in shown.items]
        return shown.model_copy(update={"items": items})

    async def events(self, request: Request) -> Response:
        """Show a video's events."""
        found = await self._context.store.read(feed.of_video, _video_id(request))
        return problems.not_found() if found is None else _document(found)

    async def list(self, request: Request) -> Response:
        """Show videos, newest first."""
        page = await self._context.store.read(view.page, **_page_query(request))
        return _document(page)

    async def redeliver(self, request: Request) -> Response:
        """Have a video's terminal event published again."""
        video_id = _video_id(request)
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
        tell(AuditAction.REDELIVERED, actor=caller, subject=video_id)
        return _document(Redelivery(id=video_id, event_id=event_id), 202)

    async def credits(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Show each provider's credits."""
        found = await self._context.store.read(ledger.all_credits)
        return JSONResponse({provider: shown.model_dump(mode="json") for provider, shown in found.items()})


def _budget(request: Request) -> int | None:
    """Read how many videos a day the caller's key may ask for."""
    identity: Identity | None = request.scope.get("reelbus.identity")
    return None if identity is None else identity.budget


def _redeliver(tx: Tx, video_id: str, caller: str, now: float) -> str | None:
    event_id = feed.redeliver(tx, video_id)
    if event_id is not None:
        audit.record(tx, AuditAction.REDELIVERED, actor=caller, subject=video_id, now=now)
    return event_id


def _document(shown: Document, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(shown.model_dump_json(), status, headers, "application/json")


def _video_id(request: Request) -> str:
    video_id: str = request.path_params["id"]
    if not _ID.fullmatch(video_id):
        raise Refusal(ProblemCode.NOT_FOUND, "there is no video of this id; list them with GET /v1/videos")
    return video_id


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


class _Page(TypedDict):
    status: VideoStatus | None
    provider: Provider | None
    cursor: str | None
    limit: int


def _page_query(request: Request) -> _Page:
    """Read the query of a list. Raises `Refusal` with every fault at once."""
    query = request.query_params
    faults = [
        FieldFault(field=name[:200], message=f"is not a query parameter here; those are {', '.join(_QUERY)}")
        for name in dict.fromkeys(query)
        if name not in _QUERY
    ]
    faults += [FieldFault(field=name, message="must be given once") for name in _QUERY if len(query.getlist(name)) > 1]
    page = _Page(
        status=_one_of(VideoStatus, "status", query, faults),
        provider=_one_of(Provider, "provider", query, faults),
        cursor=query.get("cursor"),
        limit=_DEFAULT_PAGE,
    )
    if page["cursor"] is not None and not _ID.fullmatch(page["cursor"]):
        faults.append(FieldFault(field="cursor", message="must be the next_cursor of an earlier page"))
    limit = query.get("limit", str(_DEFAULT_PAGE))
    if re.fullmatch("[0-9]{1,3}", limit) and limit.isascii() and 1 <= int(limit) <= _LARGEST_PAGE:
        page["limit"] = int(limit)
    else:
        faults.append(FieldFault(field="limit", message=f"must be a number from 1 to {_LARGEST_PAGE}"))
    if faults:
        detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults[:5])
        raise Refusal(ProblemCode.INVALID_REQUEST, detail, errors=faults[:100])
    return page


def _one_of(names: type[E], field: str, query: QueryParams, faults: list[FieldFault]) -> E | None:
    given = query.get(field)
    if given is None:
        return None
    try:
        return names(given)
    except ValueError:
        faults.append(FieldFault(field=field, message=f"must be one of {', '.join(names)}"))
        return None
