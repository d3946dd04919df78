"""The bytes of uploaded pictures: files in a folder beside the database, each synced before any row names it.

So no row ever lacks its file. What a crash leaves is a file without a row, and that is removed some time later.
Nothing here is done on the event loop. A store that several hosts share has `store.postgres_pictures` instead.
"""

import asyncio
import hashlib
import io
import os
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, ParamSpec, TypeVar
from uuid import uuid4

from store import uploads
from store.errors import StoreUnavailable
from store.readers import Readers
from store.uploads import Upload

P = ParamSpec("P")
T = TypeVar("T")

ORPHAN_SECONDS = 600.0
"""How long a process must have seen a file without a video before it removes it; to accept one takes moments."""

_WRITERS = 4
_READERS = 4
_PIECE = 256 * 1024
_ASKED_AT_ONCE = 500
_DAMAGED = "the uploaded picture was damaged in the store's folder"


class PictureLost(Exception):
    """The file is missing or is not what was uploaded; the message says which, without its name."""


@dataclass(frozen=True, slots=True)
class OpenPicture:
    """A picture that can be read even if it is dropped meanwhile."""

    upload: Upload
    _file: IO[bytes]
    _threads: ThreadPoolExecutor

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give its bytes, little by little."""
        while piece := await _in_thread(self._threads, self._file.read, _PIECE):
            yield piece

    async def whole(self) -> bytes:
        """Give all its bytes. Raises `PictureLost` where they are not what was uploaded."""
        return await _in_thread(self._threads, self._checked)

    def _checked(self) -> bytes:
        body = self._file.read()
        if self.upload.sha256 not in {None, hashlib.sha256(body).hexdigest()}:
            raise PictureLost(_DAMAGED)
        return body


class StoredPictures(ABC):
    """Uploaded pictures, wherever a store keeps them."""

    @abstractmethod
    def opened(self, video_id: str) -> AbstractAsyncContextManager[OpenPicture | None]:
        """Open the picture of a video; None where none was uploaded or it was dropped.

        Raises `PictureLost`, and `StoreUnavailable`.
        """

    async def read(self, video_id: str) -> tuple[Upload, bytes] | None:
        """Read the picture of a video whole, and check that it is what was uploaded. Raises as `opened` does."""
        async with self.opened(video_id) as found:
            if found is None:
                return None
            return found.upload, await found.whole()


class Pictures(StoredPictures):
    """The pictures of one database."""

    def __init__(self, database: Path, readers: Readers) -> None:
        beside = database.resolve()
        self._folder = beside.with_name(f"{beside.name}-pictures")
        self._rows = readers
        self._writing = ThreadPoolExecutor(_WRITERS, thread_name_prefix="picture-writer")
        self._reading = ThreadPoolExecutor(_READERS, thread_name_prefix="picture-reader")
        self._orphans: dict[str, float] = {}

    async def keep(self, content_type: str, body: bytes) -> Upload:
        """Write and sync the picture of a video that is about to be accepted. Raises `StoreUnavailable`."""
        return await _in_thread(self._writing, self._keep, content_type, body)

    @asynccontextmanager
    async def opened(self, video_id: str) -> AsyncIterator[OpenPicture | None]:
        """Open the picture of a video; None where none was uploaded or it was dropped.

        Raises `PictureLost`, and `StoreUnavailable`.
        """
        upload = await self._rows.read(lambda tx: uploads.of_video(tx, video_id))
        if upload is None:
            yield None
            return
        file = await self._open(video_id, upload)
        try:
            yield OpenPicture(upload, file, self._reading)
        finally:
            file.close()

    async def remove(self, names: Sequence[str]) -> None:
        """Remove files that no video has. Raises `StoreUnavailable`."""
        if names:
            await _in_thread(self._writing, self._remove, names)

    async def remove_orphans(self) -> int:
        """Remove the files that have had no video for a while, as a crash leaves them; say how many."""
        names = await _in_thread(self._reading, self._names)
        now = time.monotonic()
        orphans = [
            name
            for start in range(0, len(names), _ASKED_AT_ONCE)
            for name in await self._without_video(names[start : start + _ASKED_AT_ONCE])
        ]
        self._orphans = {name: self._orphans.get(name, now) for name in orphans}
        old = [name for name, since in self._orphans.items() if now - since >= ORPHAN_SECONDS]
        await self.remove(old)
        return len(old)

    async def close(self) -> None:
        """Wait until what is being written and read has ended."""
        for threads in (self._writing, self._reading):
            await asyncio.to_thread(threads.shutdown)

    async def _open(self, video_id: str, upload: Upload) -> IO[bytes]:
        if upload.name is not None:
            return await _in_thread(self._reading, _open, self._folder / upload.name, upload.size)
        body = await self._rows.read(lambda tx: uploads.body(tx, video_id))
        return io.BytesIO(body or b"")

    async def _without_video(self, names: Sequence[str]) -> list[str]:
        return await self._rows.read(lambda tx: uploads.without_video(tx, names))

    def _keep(self, content_type: str, body: bytes) -> Upload:
        name = uuid4().hex
        part = self._folder / f"{name}.part"
        self._make_folder()
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._folder / name)
            _sync(self._folder)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return Upload(content_type, len(body), hashlib.sha256(body).hexdigest(), name)

    def _make_folder(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            _sync(self._folder.parent)

    def _remove(self, names: Sequence[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _names(self) -> list[str]:
        with suppress(FileNotFoundError):
            return [each.name for each in self._folder.iterdir()]
        return []


async def _in_thread(threads: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do work in a thread; what the disk refuses is the store's trouble."""
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, partial(work, *args, **kwargs))
    except OSError as error:
        raise StoreUnavailable(f"pictures: {error.strerror}") from error


def _open(path: Path, size: int) -> IO[bytes]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise PictureLost("the uploaded picture is missing from the store's folder") from None
    if os.fstat(file.fileno()).st_size != size:
        file.close()
        raise PictureLost(_DAMAGED)
    return file


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
