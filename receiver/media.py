"""Hand uploaded pictures to the providers, under addresses that expire."""

import asyncio

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from receiver import problems
from receiver.context import Context
from store.pictures import OpenPicture, PictureLost
from store.uploads import Upload

_AT_ONCE = 8
_SUFFIX = {"image/png": "png", "image/jpeg": "jpg"}

_log = structlog.get_logger(__name__)


class Media:
    """The route under `/media`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def picture(self, request: Request) -> Response:
        """Give a picture for a token of ours that has not expired."""
        video_id = self._context.signer.video_of(request.path_params["token"], now=self._context.now())
        if video_id is None:
            return problems.not_found()
        return _Picture(self._context, self._room, video_id)


class _Picture(Response):
    """Sends a picture piece by piece; only few are in memory at a time."""

    def __init__(self, context: Context, room: asyncio.Semaphore, video_id: str) -> None:
        self._context = context
        self._room = room
        self._video_id = video_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, unless it was dropped meanwhile."""
        async with self._room:
            try:
                async with self._context.store.pictures.opened(self._video_id) as found:
                    if found is not None:
                        await self._send(found, send, whole=scope["method"] == "GET")
                        return
            except PictureLost as lost:
                _log.error("picture lost", video=self._video_id, error=str(lost))
            await problems.not_found()(scope, receive, send)

    async def _send(self, found: OpenPicture, send: Send, *, whole: bool) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _headers(found.upload)})
        async with asyncio.timeout(self._context.limits.send_stall * 2):
            if whole:
                async for piece in found.pieces():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})


def _headers(picture: Upload) -> list[tuple[bytes, bytes]]:
    """Say exactly what it is, so that nothing ever shows it as a page."""
    name = f"picture.{_SUFFIX[picture.content_type]}"
    return [
        (b"content-type", picture.content_type.encode()),
        (b"content-length", str(picture.size).encode()),
        (b"content-disposition", f'inline; filename="{name}"'.encode()),
        (b"cache-control", b"private, max-age=300"),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
    ]
