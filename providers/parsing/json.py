"""JSON documents from outside: decoded strictly, and searched wherever one level down the values may be."""

import json
from collections.abc import Iterator
from typing import Final

from schemas.strict_json import refuse_constant

CONTAINERS = ("data", "result", "response", "success", "prediction", "payload")
"""The keys under which providers wrap what they say."""

_DECODER = json.JSONDecoder(parse_constant=refuse_constant)


class Unreadable:
    """What `decode` gives for bytes that are no JSON document."""


UNREADABLE: Final = Unreadable()


def decode(body: bytes | None) -> object:
    """Read a JSON document; anything else is `UNREADABLE`: NaN, endless nesting, bad UTF-8, huge numbers."""
    if body is None:
        return UNREADABLE
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return UNREADABLE


def levels(document: object) -> Iterator[dict[str, object]]:
    """Yield a document, then the documents one container down."""
    if isinstance(document, dict):
        yield document
        yield from (value for key in CONTAINERS if isinstance(value := document.get(key), dict))
