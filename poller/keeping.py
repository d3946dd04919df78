"""Copies of finished videos. A name is written whole or not at all."""

import asyncio
import mimetypes
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol
from urllib.parse import unquote, urlsplit

from process.environment import WrongSettings

WRITTEN_AT_ONCE = 512 * 1024
"""Bytes that are gathered before a thread writes them."""

_ENDINGS = {"video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov", "image/gif": ".gif"}


class NotKept(Exception):
    """A copy could not be stored this time; the message says why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a copy lies, and how many bytes it has."""

    url: str
    length: int


class ClipStore(Protocol):
    """Where copies are kept."""

    async def keep(self, name: str, content_type: str | None, length: int | None, pieces: AsyncIterator[bytes]) -> Copy:
        """Store a clip under a name without an ending, over what may be there; the same again changes nothing.

        `length` is what its host promised, if it did. Raises `NotKept`, and whatever `pieces` raises.
        """


@dataclass(frozen=True, slots=True)
class ClipFolder:
    """Keeps copies as files of a folder, which is made if it is missing."""

    folder: Path

    async def keep(self, name: str, content_type: str | None, length: int | None, pieces: AsyncIterator[bytes]) -> Copy:
        """Write a file beside its place, sync it and move it there: a process that dies leaves no half copy there."""
        place = self.folder / (name + ending_of(content_type))
        begun: Path | None = None
        try:
            begun = await asyncio.to_thread(self._begin)
            written = 0
            async for gathered in gathered_pieces(pieces):
                await asyncio.to_thread(_append, begun, gathered)
                written += len(gathered)
            insist_on_length(written, length)
            await asyncio.to_thread(_finish, begun, place)
        except OSError as error:
            raise NotKept(f"the copy could not be written ({error.strerror}): check REELBUS_KEEP_RESULTS") from error
        finally:
            if begun is not None:
                with suppress(OSError):
                    begun.unlink(missing_ok=True)
        return Copy(place.as_uri(), written)

    def _begin(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self.folder, prefix=".", suffix=".part", delete=False) as file:
            return Path(file.name)


def ending_of(content_type: str | None) -> str:
    """Choose the ending of a file's name."""
    return _ENDINGS.get(content_type or "") or mimetypes.guess_extension(content_type or "") or ".bin"


async def gathered_pieces(pieces: AsyncIterator[bytes], size: int = WRITTEN_AT_ONCE) -> AsyncIterator[bytes]:
    """Gather small pieces into larger ones."""
    gathered = bytearray()
    async for piece in pieces:
        gathered += piece
        if len(gathered) >= size:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def insist_on_length(written: int, length: int | None) -> None:
    """Raise `NotKept` for a copy that is not as long as promised."""
    if length is not None and written != length:
        raise NotKept(f"the copy has {written} bytes of {length}")


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _finish(begun: Path, place: Path) -> None:
    with begun.open("rb") as file:
        os.fsync(file.fileno())
    begun.chmod(0o640)
    begun.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def clip_store(place: str) -> ClipStore:
    """Build what keeps copies at a place, `file:///folder` or `s3://bucket/prefix`.

    Raises `WrongSettings` where what speaks to an object store is not installed.
    """
    if not place.startswith("s3:"):
        return ClipFolder(Path(unquote(urlsplit(place).path)))
    try:
        from poller.object_store import ClipBucket  # noqa: PLC0415 - an extra, which only this place needs
    except ImportError as error:
        raise WrongSettings(
            f"REELBUS_KEEP_RESULTS is {place}, but obstore is not installed: install reelbus[s3], or keep copies in"
            " a folder (file:///var/lib/reelbus/clips)"
        ) from error
    return ClipBucket(place)
