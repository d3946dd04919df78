"""Pictures made to be dear: each of as many bytes as asked for, each cheap to make."""

import struct
import zlib
from collections.abc import Callable

from tests.support.pictures import picture

_JPEG = picture(kind="JPEG")
_TAGS = 65_000


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(*chunks: bytes) -> bytes:
    pixels = _chunk(b"IDAT", zlib.compress(bytes(1000)))
    head = struct.pack(">IIBBBBB", 512, 512, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def _jpeg(between: bytes) -> bytes:
    """Put bytes behind a JPEG's start."""
    return _JPEG[:2] + between + _JPEG[2:]


def _segment(code: int, data: bytes) -> bytes:
    return bytes([0xFF, code]) + struct.pack(">H", len(data) + 2) + data


def _filled(part: bytes, size: int) -> bytes:
    return part * (size // len(part))


def _exif(size: int) -> bytes:
    """EXIF whose every tag stands for nearly all of it, in as many segments as it takes."""
    tags = min(_TAGS, size // 12 - 10)
    tag = struct.pack(">HHII", 0x9286, 7, size // 2, 8)
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", tags) + tag * tags
    block = block.ljust(size - size // 1000, b"\0")
    pieces = [block[start : start + 65_000] for start in range(0, len(block), 65_000)]
    return _jpeg(b"".join(_segment(0xE1, b"Exif\0\0" + piece) for piece in pieces))


def _resources(size: int) -> bytes:
    """Photoshop's notes, as many small ones as a segment holds."""
    notes = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\0" * 5_000
    return _jpeg(_filled(_segment(0xED, notes), size))


DEAR: dict[str, Callable[[int], bytes]] = {
    "a run of 0xFF": lambda size: b"\xff\xd8" + b"\xff" * size,
    "a run of 0xFF before the frame": lambda size: _jpeg(b"\xff" * size),
    "a run of 0xFF after the frame": lambda size: _JPEG[:-2] + b"\xff" * size,
    "empty application segments": lambda size: _jpeg(_filled(_segment(0xE5, b""), size)),
    "empty comments": lambda size: _jpeg(_filled(_segment(0xFE, b""), size)),
    "quantization tables": lambda size: _jpeg(_filled(_segment(0xDB, (b"\0" + bytes(64)) * 1_000), size)),
    "restart markers": lambda size: _jpeg(_filled(b"\xff\xd0", size)),
    "junk between segments": lambda size: _jpeg(_filled(b"\xff\0", size)),
    "restart markers for pixels": lambda size: _JPEG[:-2] + _filled(b"\xff\xd0", size) + b"\xff\xd9",
    "stuffed pixels without an end": lambda size: _JPEG[:-2] + _filled(b"\xff\0", size),
    "scans": lambda size: _JPEG[:-2] + _filled(_segment(0xDA, bytes(10)), size),
    "EXIF": _exif,
    "Photoshop's notes": _resources,
    "empty chunks": lambda size: _png(_filled(_chunk(b"teSt", b""), size)),
    "empty pixels": lambda size: _png(_filled(_chunk(b"IDAT", b""), size)),
    "colour profiles": lambda size: _png(_filled(_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**20))), size)),
    "packed texts": lambda size: _png(_filled(_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**20))), size)),
    "texts": lambda size: _png(_filled(_chunk(b"tEXt", b"k\0" + bytes(100)), size)),
    "a chunk of 2 GiB": lambda size: _png(struct.pack(">I", 2**31 - 1) + b"teSt" + bytes(size)),
    "zeros": lambda size: b"\x89PNG\r\n\x1a\n" + bytes(size),
}
"""For each way in which a picture may be dear, how to make one of about so many bytes."""


def odd_exif() -> bytes:
    """Give a JPEG whose EXIF is of a sort that libraries warn of."""
    tags = b"".join(struct.pack(">HHII", number, 2, 1_000, 60_000) for number in range(0x100, 0x500))
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", 0x400) + tags
    return _jpeg(_segment(0xE1, b"Exif\0\0" + block))
