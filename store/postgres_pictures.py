"""The bytes of uploaded pictures, in rows of the database: what one host takes in, every other one can serve.

A picture is stored before any video names it; what a crash leaves is a picture without a video, removed later.
"""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from store import uploads
from store.pictures import ORPHAN_SECONDS, OpenPicture, PictureLost, StoredPictures
from store.postgres_readers import PostgresReaders
from store.transaction import Tx
from store.uploads import Upload

_ORPHANS_AT_ONCE = 100


class PostgresPictures(StoredPictures):
    """The pictures of one database. `write` commits work durably."""

    def __init__(
        self, write: Callable[..., Awaitable[Any]], readers: PostgresReaders, now: Callable[[], float]
    ) -> None:
        self._write = write
        self._rows = readers
        self._now = now
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="picture-reader")

    async def keep(self, content_type: str, body: bytes) -> Upload:
        """Store the picture of a video that is about to be accepted. Raises `StoreUnavailable`."""
        digest = await asyncio.get_running_loop().run_in_executor(self._hashing, hashlib.sha256, body)
        upload = Upload(content_type, len(body), digest.hexdigest(), uuid4().hex)
        await self._write(uploads.keep_body, upload.name, body, now=self._now())
        return upload

    @asynccontextmanager
    async def opened(self, video_id: str) -> AsyncIterator[OpenPicture | None]:
        """Open the picture of a video; None where none was uploaded or it was dropped.

        Raises `PictureLost`, and `StoreUnavailable`.
        """

        def find(tx: Tx) -> tuple[Upload, bytes | None] | None:
            upload = uploads.of_video(tx, video_id)
            if upload is None:
                return None
            return upload, uploads.kept_body(tx, upload.name) if upload.name else uploads.body(tx, video_id)

        found = await self._rows.read(find)
        if found is None:
            yield None
            return
        upload, body = found
        if body is None:
            raise PictureLost("the uploaded picture is missing from the database")
        if len(body) != upload.size:
            raise PictureLost("the uploaded picture was damaged in the database")
        yield OpenPicture(upload, io.BytesIO(body), self._hashing)

    async def remove(self, names: Sequence[str]) -> None:
        """Remove pictures that no video has. Raises `StoreUnavailable`."""
        if names:
            await self._write(uploads.drop_bodies, names)

    async def remove_orphans(self) -> int:
        """Remove the pictures that have had no video for a while, as a crash leaves them; say how many."""
        removed: int = await self._write(
            uploads.drop_orphans, before=self._now() - ORPHAN_SECONDS, limit=_ORPHANS_AT_ONCE
        )
        return removed

    async def close(self) -> None:
        """Wait until what is being read has ended."""
        await asyncio.to_thread(self._hashing.shutdown)
