"""Read a request for a video: one set of rules for JSON, forms and commands, and every fault at once."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.addresses import MAX_URL_CHARACTERS, image_url_fault
from schemas.names import Motion, Orientation
from schemas.problem import FieldFault, ProblemCode, Refusal
from schemas.request import MAX_IDEMPOTENCY_KEY, MAX_TEXT_BYTES, SURROGATE, UNSTORABLE, VideoRequest
from schemas.strict_json import refuse_constant

_LARGE_BODY = 64 * 1024
# No valid request has nearly as many commas and brackets; decoding more would only cost memory.
_MAX_PARTS = 20_000

_LONGEST_CHARACTER = 6
"""Bytes of a control character in JSON, the longest there is."""
_BESIDE_TEXT = 4
"""Bytes of quotes and signs around a text in JSON; null takes as many."""

_TOO_DEEP = "the body is nested too deeply; send one JSON object with the documented fields"
_SPACES = {ord(space): None for space in " \t\r\n\f\v"}
_DATA_URL = re.compile(r"\s*data:([^,]{0,200}),", re.IGNORECASE)
_VISIBLE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A valid request; `picture` holds the uploaded bytes, None where there is an `image_url`."""

    fields: VideoRequest
    picture: bytes | None


def read_json(body: bytes | bytearray) -> object:
    """Decode a JSON body. Raises `Refusal` with `bad_request`, naming what is wrong with it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        _unreadable(f"the body is not UTF-8 at byte {error.start}; send JSON in UTF-8")
    if text.startswith("\ufeff"):
        _unreadable("the body begins with a byte order mark; send JSON without one")
    if len(body) > _LARGE_BODY:
        _refuse_bombs(text)
    try:
        return _DECODER.decode(text)
    except RecursionError:
        _unreadable(_TOO_DEEP)
    except json.JSONDecodeError as error:
        _unreadable(f"the body is not JSON: {error.msg.lower()} at character {error.pos}")
    except ValueError as error:
        _unreadable(f"the body is not JSON that can be read: {error}")


def parse(
    values: object,
    *,
    allow_private: bool,
    picture: bytes | None = None,
    others: Sequence[FieldFault] = (),
) -> ParsedRequest:
    """Check decoded values, with `picture` where one came as a file; raise `Refusal` with all faults at once.

    `others` are faults found elsewhere, as in a header.
    """
    if not isinstance(values, dict):
        raise Refusal(
            ProblemCode.INVALID_REQUEST,
            "the body must be one JSON object with the documented fields",
            errors=[FieldFault(field="body", message="must be a JSON object"), *others],
        )
    fields, faults = _validated(values)
    faults += _text_faults(fields)
    faults += _source_faults(values, picture)
    url = values.get("image_url")
    if isinstance(url, str) and url and len(url) <= MAX_URL_CHARACTERS:
        address_fault = image_url_fault(url, allow_private=allow_private)
        faults += [FieldFault(field="image_url", message=address_fault)] if address_fault else []
    encoded = values.get("image_base64")
    if isinstance(encoded, str) and encoded:
        picture, base64_fault = _decoded(encoded)
        faults += [FieldFault(field="image_base64", message=base64_fault)] if base64_fault else []
    faults += others
    if faults or fields is None:
        _refuse(_once_each(faults))
    return ParsedRequest(fields, picture)


def idempotency_key_faults(keys: Sequence[str]) -> list[FieldFault]:
    """Name what is wrong with the values of the `Idempotency-Key` header."""
    if len(keys) > 1:
        message = "must be given once"
    elif keys and not keys[0]:
        message = "must not be empty; omit the header or give 1 to 255 characters"
    elif keys and len(keys[0]) > MAX_IDEMPOTENCY_KEY:
        message = f"must have at most {MAX_IDEMPOTENCY_KEY} characters, this has {len(keys[0])}"
    elif keys and not _VISIBLE.fullmatch(keys[0]):
        message = "must consist of visible ASCII characters and spaces"
    else:
        return []
    return [FieldFault(field="Idempotency-Key", message=message)]


def fingerprint(request: ParsedRequest) -> str:
    """Give the same text for the same parsed fields and picture bytes, another for any other."""
    fields = request.fields.model_dump(mode="json", exclude={"image_base64", "fallback"})
    fields["fallback"] = request.fields.may_fall_back
    fields["picture"] = None if request.picture is None else hashlib.sha256(request.picture).hexdigest()
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse_bombs(text: str) -> None:
    if text.count("[") + text.count("{") > _MAX_PARTS:
        _unreadable(_TOO_DEEP)
    if text.count(",") > _MAX_PARTS:
        _refuse([FieldFault(field="body", message=f"has more than {_MAX_PARTS} parts; no request needs so many")])


def _text_faults(fields: VideoRequest | None) -> list[FieldFault]:
    if fields is None or _longest_text(fields) <= MAX_TEXT_BYTES:
        return []
    size = len(fields.model_dump_json(include={"prompt", "metadata"}).encode())
    if size <= MAX_TEXT_BYTES:
        return []
    message = f"must take at most {MAX_TEXT_BYTES} bytes in JSON together with the prompt, this takes {size}"
    return [FieldFault(field="metadata", message=message)]


def _longest_text(fields: VideoRequest) -> int:
    """Say how many bytes prompt and metadata take in JSON at most, however their characters are escaped."""
    texts = [fields.prompt or "", *fields.metadata, *fields.metadata.values()]
    return _LONGEST_CHARACTER * sum(map(len, texts)) + _BESIDE_TEXT * len(texts) + len('{"prompt":,"metadata":{}}')


def _validated(values: dict[Any, Any]) -> tuple[VideoRequest | None, list[FieldFault]]:
    values, faults = _with_sound_names(values, "")
    if isinstance(values.get("metadata"), dict):
        values["metadata"], odd = _with_sound_names(values["metadata"], "metadata.")
        faults += odd
    try:
        return VideoRequest.model_validate(values), faults
    except ValidationError as error:
        return None, faults + [_fault(detail) for detail in error.errors(include_url=False)]


def _with_sound_names(values: dict[str, Any], prefix: str) -> tuple[dict[str, Any], list[FieldFault]]:
    """Leave out the names that are no text at all, because nothing else can be said of their fields."""
    odd = [name for name in values if not name.isascii() and SURROGATE.search(name)]
    if not odd:
        return dict(values), []
    faults = [FieldFault(field=_printable(prefix + name), message=UNSTORABLE) for name in odd]
    return {name: value for name, value in values.items() if name not in odd}, faults


def _source_faults(values: Mapping[str, object], picture: bytes | None) -> list[FieldFault]:
    given = [name for name in ("image_url", "image_base64") if values.get(name) is not None]
    given += ["image"] if picture is not None else []
    if len(given) == 1:
        return []
    rule = "give exactly one of image_url, image_base64 and a file part named image"
    if not given:
        return [FieldFault(field="image_url", message=f"no picture was given: {rule}")]
    return [FieldFault(field=name, message=f"more than one picture was given: {rule}") for name in given]


def _decoded(text: str) -> tuple[bytes | None, str | None]:
    if prefix := _DATA_URL.match(text):
        if not prefix[1].rstrip().lower().endswith(";base64"):
            return None, "is a data: URL that is not in Base64; write it as data:image/png;base64,…"
        text = text[prefix.end() :]
    try:
        picture = base64.b64decode(text.translate(_SPACES), validate=True)
    except (binascii.Error, ValueError):
        return None, "is not Base64; use the standard alphabet with + and / and full padding"
    return (picture, None) if picture else (None, "holds no bytes")


_LISTS = {"motion": Motion, "orientation": Orientation}


def _fault(detail: ErrorDetails) -> FieldFault:
    """Tell a fault in our own words; the library's name its types."""
    path = [str(part) for part in detail["loc"]]
    field = _printable(".".join(path[:-1] if path[-1] == "[key]" else path))
    context = detail.get("ctx", {})
    messages = {
        "missing": "is required",
        "extra_forbidden": f"is not a field of a request; those are {', '.join(VideoRequest.model_fields)}",
        "string_type": "must be a string",
        "string_unicode": UNSTORABLE,
        "value_error": UNSTORABLE,
        "bool_type": "must be true or false",
        "dict_type": "must be an object of string pairs",
        "string_too_short": "must not be empty",
        "string_too_long": f"must have at most {context.get('max_length')} characters",
        "too_long": f"must have at most {context.get('max_length')} entries",
    }
    if detail["type"] == "enum" and field in _LISTS:
        return FieldFault(field=field, message=f"must be one of {', '.join(_LISTS[field])}")
    return FieldFault(field=field, message=messages.get(detail["type"], detail["msg"]))


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")[:200]


def _once_each(faults: list[FieldFault]) -> list[FieldFault]:
    return list({(fault.field, fault.message): fault for fault in faults}.values())[:100]


def _refuse(faults: list[FieldFault]) -> NoReturn:
    detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults[:5])
    more = f"; and {len(faults) - 5} more, see errors" if len(faults) > 5 else ""
    raise Refusal(ProblemCode.INVALID_REQUEST, detail + more, errors=faults)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse an object that has a name twice: of two readers each could take another value for it."""
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("an object has a name twice")
    return read


_DECODER = json.JSONDecoder(parse_constant=refuse_constant, object_pairs_hook=_object)


def _unreadable(detail: str) -> NoReturn:
    raise Refusal(ProblemCode.BAD_REQUEST, detail)
