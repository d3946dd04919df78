"""A picture is told by its content; what cannot be used is refused, and everything else is taken as it is."""

import io
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image

from schemas.picture import PictureRejected, inspect
from tests.support.pictures import picture


def _exif_rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture(700, 520, kind="JPEG", exif=exif)


def _with_thumbnail() -> bytes:
    """A JPEG with a whole JPEG, end marker included, in one of its segments."""
    thumbnail = b"Exif\0\0" + picture(64, 64, kind="JPEG")
    whole = picture(600, 600, kind="JPEG")
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + whole[2:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG by hand, with chunks of one's own before its (short) pixels."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = _chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _animated() -> bytes:
    written = io.BytesIO()
    frames = [Image.new("RGB", (512, 512), colour) for colour in ("red", "blue")]
    frames[0].save(written, "PNG", save_all=True, append_images=frames[1:])
    return written.getvalue()


TAKEN = {
    "PNG": picture(),
    "JPEG": picture(kind="JPEG"),
    "progressive JPEG": picture(kind="JPEG", progressive=True),
    "greyscale PNG": picture(mode="L"),
    "palette PNG": picture(mode="P"),
    "transparent PNG": picture(mode="RGBA"),
    "16 bits a channel": picture(mode="I;16"),
    "16 bits of each colour": _png(512, 512, depth=16),
    "CMYK JPEG": picture(kind="JPEG", mode="CMYK"),
    "greyscale JPEG": picture(kind="JPEG", mode="L"),
    "rotated by EXIF": _exif_rotated(),
    "a thumbnail inside": _with_thumbnail(),
    "a page after a JPEG": picture(kind="JPEG") + b"<html><script>alert(1)</script>",
    "an archive after a PNG": picture() + b"PK\x03\x04",
    "a text chunk": _png(512, 512, _chunk(b"tEXt", b"Comment\0<script>")),
    "exactly 40 million pixels": _png(8_000, 5_000),
    "very wide": _png(40_000, 600),
}


@pytest.mark.parametrize("data", TAKEN.values(), ids=TAKEN.keys())
def test_a_usable_picture_is_taken_as_it_is(data: bytes) -> None:
    found = inspect(data)

    assert found.content_type == ("image/png" if data.startswith(b"\x89PNG") else "image/jpeg")
    assert min(found.width, found.height) >= 512


JPEG = picture(kind="JPEG")
REFUSED = {
    "nothing": (b"", "neither"),
    "text": (b"hello", "neither"),
    "a GIF": (picture(kind="GIF", mode="P"), "neither"),
    "a WebP": (picture(kind="WEBP"), "neither"),
    "a BMP": (picture(kind="BMP"), "neither"),
    "a TIFF": (picture(kind="TIFF"), "neither"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "neither"),
    "a PDF": (picture(kind="PDF"), "neither"),
    "a PNG after a page": (b"<html>" + picture(), "neither"),
    "a PNG's signature alone": (b"\x89PNG\r\n\x1a\n", "damaged"),
    "a JPEG's start alone": (b"\xff\xd8\xff\xe0", "damaged"),
    "a PNG cut in its pixels": (picture()[:-100], "damaged"),
    "a PNG without its end": (picture()[:-12], "damaged|cut short"),
    "a PNG without its last byte": (picture()[:-1], "cut short"),
    "a PNG with a wrong checksum": (picture()[:-20] + b"\0" + picture()[-19:], "damaged"),
    "a JPEG cut in its pixels": (JPEG[: len(JPEG) * 9 // 10], "cut short"),
    "a JPEG without its end": (JPEG[:-2], "cut short"),
    "a JPEG with only its thumbnail's end": (_with_thumbnail()[:-2], "cut short"),
    "too narrow": (picture(511, 600), "511x600"),
    "too flat": (picture(600, 511, kind="JPEG"), "600x511"),
    "one pixel": (picture(1, 1), "1x1"),
    "a bomb of 81 million pixels": (_png(9_000, 9_000), "at most 40 million"),
    "a bomb of 400 million pixels": (_png(20_000, 20_000), "at most 40 million"),
    "the largest PNG there can be": (_png(2**31 - 1, 2**31 - 1), "at most 40 million"),
    "no width": (_png(0, 512), "0x512|damaged"),
    "a text of 50 MB, packed": (
        _png(512, 512, _chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000)))),
        "damaged",
    ),
    "an animation": (_animated(), "animated"),
}


@pytest.mark.parametrize(("data", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_everything_else_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(PictureRejected, match=why) as refusal:
        inspect(data)
    assert str(refusal.value)[:3] in {"is ", "has"}


def test_a_bomb_costs_next_to_no_memory() -> None:
    bomb = picture(6_000, 6_000, mode="L") + bytes(100)
    tracemalloc.start()
    inspect(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 3_000_000


def test_the_smallest_side_can_be_chosen() -> None:
    assert inspect(picture(100, 100), minimum_side=100).width == 100
