"""Which pictures we take: told by their content, from their header alone, without ever decoding their pixels.

A decompression bomb is refused by the size that it claims.

The time is linear in a picture's size, whatever its bytes: its parts are counted before Pillow reads any of them,
and of a JPEG Pillow is shown the tables and the frame alone, never what cameras and programs note beside them.
Bytes of strangers are still best looked into in a process of its own (`process.inspector`).

Taken as they are: greyscale, palette, CMYK, 16 bits a channel, interlaced and progressive ones, any EXIF
orientation (both sides obey the same minimum), and bytes after a picture's end (whoever serves it must name
its type and forbid sniffing). Refused: anything but PNG and JPEG, animations, what is cut short or damaged in
its structure, what consists of more parts than any picture needs, and what would need too much memory to decode.
"""

import io
import re
import struct
from dataclasses import dataclass
from typing import Any

MINIMUM_SIDE = 512
MAX_PIXELS = 40_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_PACKED = frozenset({b"iCCP", b"iTXt", b"zTXt"})
_CHUNK_HEAD = struct.Struct(">I4s")

_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff([^\x00\xff])")
_STAND_ALONE = range(0xD0, 0xD9)
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_NOTES = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Segments of applications, EXIF and colour profiles among them, and comments."""

_MOST_PARTS = 2_000
"""Segments of a JPEG before its pixels; chunks of a PNG besides one for every 2 KiB."""

_MOST_PACKED = 50
"""Chunks of a PNG that must be decompressed to be read; Pillow stops at 1 MiB each."""

_LARGEST_TABLES = 64 * 1024
"""Bytes of a JPEG's tables before its pixels, which hardly ever take one; and bytes that belong to nothing there."""


class PictureRejected(Exception):
    """The bytes are no picture that can be used; the message says why and what to send instead."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture is; sides in pixels, as stored."""

    content_type: str
    width: int
    height: int


def inspect(data: bytes, *, minimum_side: int = MINIMUM_SIDE) -> Picture:
    """Say what picture these bytes are. Raises `PictureRejected`."""
    if data.startswith(_PNG):
        content_type = "image/png"
    elif data.startswith(_JPEG):
        content_type = "image/jpeg"
    else:
        raise PictureRejected("is neither a PNG nor a JPEG picture, judged by its content; send one of these")
    width, height = _measured(data, is_png=content_type == "image/png")
    if min(width, height) < minimum_side:
        raise PictureRejected(f"is {width}x{height} pixels; send one of at least {minimum_side}x{minimum_side}")
    return Picture(content_type, width, height)


def _measured(data: bytes, *, is_png: bool) -> tuple[int, int]:
    """Read the sides and check the structure up to the picture's end, within bounded time and memory."""
    head, pixels = (data, _counted(data)) if is_png else _tables(data)
    try:
        with _opened(head, is_png=is_png) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise PictureRejected(
                    f"has {width}x{height} pixels; send one of at most {MAX_PIXELS // 1_000_000} million"
                )
            if is_png and getattr(image, "is_animated", False):
                raise PictureRejected("is animated; send a still picture")
            if is_png:
                image.verify()
    except PictureRejected:
        raise
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises a dozen kinds for damaged files, none documented as complete
        raise _damaged() from error
    if data.find(_PNG_END if is_png else _JPEG_END, pixels) < 0:
        raise PictureRejected("is cut short; send the whole file")
    return width, height


def _opened(data: bytes, *, is_png: bool) -> Any:  # noqa: ANN401 - Pillow is imported only when a picture comes
    """Read a picture's header; by its own reader, so that no other format is ever tried."""
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415 - as said above
    from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415 - as said above

    return PngImageFile(io.BytesIO(data)) if is_png else JpegImageFile(io.BytesIO(data))


def _counted(data: bytes) -> int:
    """Give where a PNG's chunks begin, once it is known that they are not too many to be read."""
    chunks = packed = 0
    most = _MOST_PARTS + len(data) // 2048
    position = len(_PNG)
    while position + _CHUNK_HEAD.size <= len(data):
        size, name = _CHUNK_HEAD.unpack_from(data, position)
        chunks += 1
        packed += name in _PNG_PACKED
        if chunks > most or packed > _MOST_PACKED:
            raise _overloaded()
        if name == b"IEND":
            break
        position += _CHUNK_HEAD.size + size + 4
    return len(_PNG)


def _tables(data: bytes) -> tuple[bytes, int]:
    """Give a JPEG's start without the notes in it, and where its pixels begin."""
    kept = bytearray(data[:2])
    position = skipped = 2
    for _ in range(_MOST_PARTS):
        marker = _MARKER.search(data, position)
        if marker is None or marker[1][0] == _END_OF_IMAGE:
            raise _damaged()
        skipped += marker.start() - position
        code, position = marker[1][0], marker.end()
        if code in _STAND_ALONE:
            continue
        start, position = position, position + int.from_bytes(data[position : position + 2], "big")
        if position < start + 2 or position > len(data):
            raise _damaged()
        if code not in _NOTES:
            kept += marker[0] + data[start:position]
        if max(len(kept), skipped) > _LARGEST_TABLES:
            raise _overloaded()
        if code == _START_OF_SCAN:
            return bytes(kept), position
    raise _overloaded()


def _damaged() -> PictureRejected:
    return PictureRejected("is damaged or cut short; save it anew and send the whole file")


def _overloaded() -> PictureRejected:
    return PictureRejected("consists of more parts than any picture needs; save it anew and send that")
