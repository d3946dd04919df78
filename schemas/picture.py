"""Which pictures we take: told by their content, from their header alone, without ever decoding their pixels.

Taken as they are: greyscale, palette, CMYK, 16 bits a channel, interlaced and progressive ones, any EXIF
orientation (both sides obey the same minimum), and bytes after a picture's end (whoever serves it must name
its type and forbid sniffing). Refused: anything but PNG and JPEG, animations, what is cut short or damaged in
its structure, and what would need too much memory to decode.
"""

import io
import re
from dataclasses import dataclass
from typing import Any

MINIMUM_SIDE = 512
MAX_PIXELS = 40_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_JPEG = b"\xff\xd8\xff"
# In a JPEG's compressed data 0xFF is followed by a stuffed zero or a restart marker; all else ends the data.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_STAND_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


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
    try:
        with _opened(data, is_png=is_png) as image:
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
        raise PictureRejected("is damaged or cut short; save it anew and send the whole file") from error
    if not (_PNG_END in data if is_png else _jpeg_ends(data)):
        raise PictureRejected("is cut short; send the whole file")
    return width, height


def _opened(data: bytes, *, is_png: bool) -> Any:  # noqa: ANN401 - Pillow is imported only when a picture comes
    """Read a picture's header; by its own reader, so that no other format is ever tried."""
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415 - as said above
    from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415 - as said above

    return PngImageFile(io.BytesIO(data)) if is_png else JpegImageFile(io.BytesIO(data))


def _jpeg_ends(data: bytes) -> bool:
    """Say whether a JPEG's own end marker is there, not that of a thumbnail inside one of its segments."""
    position = 2
    while marker := _MARKER.search(data, position):
        code, position = marker[1][0], marker.end()
        if code == _END_OF_IMAGE:
            return True
        if code not in _STAND_ALONE:
            position += int.from_bytes(data[position : position + 2], "big")
    return False
