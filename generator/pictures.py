"""Get the picture of a video in the form that a provider wants it in."""

from dataclasses import dataclass
from typing import Protocol

from process.addresses import Addresses
from process.inspector import Inspectors, InspectorUnavailable
from providers.base import Order
from providers.http.pictures import PictureUnavailable
from providers.registry import capabilities
from schemas.picture import PictureRejected
from store.attempts import AttemptRow
from store.database import Store
from store.pictures import PictureLost
from store.videos import VideoRow


class FetchPicture(Protocol):
    """Fetches the bytes at an address; raises `PictureRefused` or `PictureUnavailable` of `providers.http.pictures`."""

    async def __call__(self, url: str) -> bytes:
        """Give the bytes at `url`."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Makes orders: reads uploads from the store, and fetches what was given by address."""

    store: Store
    addresses: Addresses
    fetch: FetchPicture
    inspectors: Inspectors

    async def order(self, attempt: AttemptRow, video: VideoRow, *, wants_bytes: bool) -> Order:
        """Make the order of an attempt. Raises `PictureRejected`, or what `fetch` raises."""
        image, content_type = await self._bytes(video) if wants_bytes else (None, None)
        return Order(
            motion=video.motion,
            orientation=video.orientation,
            prompt=video.prompt,
            image_url=None if wants_bytes else video.image_url or self.addresses.picture(video.id),
            image=image,
            content_type=content_type,
            webhook_url=self._webhook(attempt),
            name=attempt.id,
        )

    def _webhook(self, attempt: AttemptRow) -> str | None:
        if not capabilities(attempt.provider).calls_back:
            return None
        return self.addresses.webhook(attempt.provider, attempt.id)

    async def _bytes(self, video: VideoRow) -> tuple[bytes, str]:
        if video.image_url is not None:
            body = await self.fetch(video.image_url)
            return body, await self._type_of(body)
        try:
            kept = await self.store.pictures.read(video.id)
        except PictureLost as lost:
            raise PictureRejected(str(lost)) from lost
        if kept is None:
            raise PictureRejected("the uploaded picture is no longer kept")
        upload, body = kept
        return body, upload.content_type

    async def _type_of(self, body: bytes) -> str:
        try:
            return (await self.inspectors.inspect(body)).content_type
        except InspectorUnavailable as error:
            raise PictureUnavailable(str(error)) from error
