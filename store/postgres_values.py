"""Values as PostgreSQL takes them: in binary where that is simple, else as text whose type it finds out."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

BINARY, _TEXT = 1, 0
_INT4, _INT8, _FLOAT8 = struct.Struct("!i"), struct.Struct("!q"), struct.Struct("!d")
_OID_UNKNOWN, _OID_BOOL, _OID_BYTES, _OID_INT8, _OID_INT4, _OID_FLOAT8 = 0, 16, 17, 20, 23, 701
_LARGEST_INT4 = 2**31 - 1


class Given(NamedTuple):
    """The values of a statement as the server takes them."""

    types: tuple[int, ...]
    formats: tuple[int, ...]
    values: tuple[bytes | None, ...]


def as_given(values: Sequence[object]) -> Given:
    """Write values for the server. Raises TypeError for what no column can hold."""
    dumped = [_dump(value) for value in values]
    return Given(*zip(*dumped, strict=True)) if dumped else Given((), (), ())


def _dump(value: object) -> tuple[int, int, bytes | None]:
    """Give the type of a value, its format, and its bytes. Raises TypeError for what no column can hold."""
    if isinstance(value, str):
        # PostgreSQL has no text for a NUL: it becomes the mark of what cannot be shown.
        return _OID_UNKNOWN, _TEXT, (value.replace("\0", "\ufffd") if "\0" in value else value).encode()
    if isinstance(value, float):
        return _OID_FLOAT8, BINARY, _FLOAT8.pack(value)
    if value is None:
        return _OID_UNKNOWN, _TEXT, None
    return _dump_other(value)


def _dump_other(value: object) -> tuple[int, int, bytes]:
    match value:
        case bool():
            return _OID_BOOL, BINARY, b"\1" if value else b"\0"
        case int() if abs(value) <= _LARGEST_INT4:
            return _OID_INT4, BINARY, _INT4.pack(value)
        case int():
            return _OID_INT8, BINARY, _INT8.pack(value)
        case bytes() | bytearray() | memoryview():
            return _OID_BYTES, BINARY, bytes(value)
        case _:
            raise TypeError(f"no column can hold a {type(value).__name__}")
