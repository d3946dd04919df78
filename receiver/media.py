"""Hand uploaded pictures to the providers, under addresses that expire."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from intake.context import Context
from receiver import problems
from schemas.problem import ProblemCode, Refusal
from store.database import Store
from store.pictures import OpenPicture, PictureLost
from store.uploads import Upload

_AT_ONCE = 256
_OF_ONE_PICTURE = 4
_SUFFIX = {"image/png": "png", "image/jpeg": "jpg"}

_log = structlog.get_logger(__name__)


class Media:
    """The route under `/media`. Pictures are sent piece by piece, and each to few at once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._readers: Counter[str] = Counter()

    async def picture(self, request: Request) -> Response:
        """Give a picture for a token of ours that has not expired."""
        video_id = self._context.signer.video_of(request.path_params["token"], now=self._context.now())
        return problems.not_found() if video_id is None else _Picture(self, self._context.store, video_id)

    @contextmanager
    def reader(self, video_id: str) -> Iterator[None]:
        """Count who reads a picture. Raises `Refusal` (overloaded) where too many do."""
        if self._readers.total() >= _AT_ONCE or self._readers[video_id] >= _OF_ONE_PICTURE:
            detail = "this picture is being fetched too often at once; try again"
            raise Refusal(ProblemCode.OVERLOADED, detail, retry_after=5)
        self._readers[video_id] += 1
        try:
            yield
        finally:
            self._readers[video_id] -= 1
            if not self._readers[video_id]:
                del self._readers[video_id]


class _Picture(Response):
    """Sends a picture piece by piece; a client that does not read is cut off by its connection."""

    def __init__(self, media: Media, store: Store, video_id: str) -> None:
        self._media = media
        self._store = store
        self._video_id = video_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, unless it was dropped meanwhile."""
        with self._media.reader(self._video_id):
            try:
                async with self._store.pictures.opened(self._video_id) as found:
                    if found is not None:
                        await _send(found, send, whole=scope["method"] == "GET")
                        return
            except PictureLost as lost:
                _log.error("picture lost", video=self._video_id, error=str(lost))
            await problems.not_found()(scope, receive, send)


async def _send(found: OpenPicture, send: Send, *, whole: bool) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _headers(found.upload)})
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
