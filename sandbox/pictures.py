"""Tell what a picture is from its first bytes, and keep a few for rendering."""

import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

SHELF_BYTES = 64 * 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset(range(0xD0, 0xDA)) | {0x01}


@dataclass(frozen=True, slots=True)
class Size:
    """A picture's kind and its sides in pixels."""

    kind: Literal["png", "jpeg"]
    width: int
    height: int


def size(picture: bytes) -> Size | None:
    """Read a picture's kind and size from its header; None if it is no PNG or JPEG."""
    if picture.startswith(PNG):
        if len(picture) < 24 or picture[12:16] != b"IHDR":
            return None
        width, height = struct.unpack(">II", picture[16:24])
        return Size("png", width, height)
    return _jpeg_size(picture) if picture.startswith(JPEG) else None


def _jpeg_size(picture: bytes) -> Size | None:
    at = 2
    while at + 9 <= len(picture):
        if picture[at] != 0xFF:
            return None
        mark = picture[at + 1]
        if mark in _FRAMES:
            height, width = struct.unpack(">HH", picture[at + 5 : at + 9])
            return Size("jpeg", width, height)
        if mark == 0xFF:
            at += 1
        elif mark in _BARE:
            at += 2
        else:
            at += 2 + int.from_bytes(picture[at + 2 : at + 4], "big")
    return None


def tail(picture: bytes) -> str:
    """Give the last bytes of a picture as text: a place for a marker that no decoder minds."""
    return picture[-200:].decode("latin-1")


class PictureCache:
    """The latest pictures by their SHA-256, up to a total size."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def put(self, digest: str, picture: bytes) -> None:
        """Keep a picture, at the cost of the oldest ones."""
        if digest in self._pictures:
            self._pictures.move_to_end(digest)
            return
        self._pictures[digest] = picture
        self._bytes += len(picture)
        while self._bytes > SHELF_BYTES:
            self._bytes -= len(self._pictures.popitem(last=False)[1])

    def get(self, digest: str | None) -> bytes | None:
        """Take a look at a picture, if it is still kept."""
        return self._pictures.get(digest) if digest else None
