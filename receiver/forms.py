"""Read a multipart form: a few short fields and one file part named `image`."""

import codecs
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from intake.accept import RawRequest
from intake.parsing import read_json
from schemas.problem import FieldFault, ProblemCode, Refusal
from schemas.request import VideoRequest

# It warns of every broken form, so that senders could fill the log.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

_MAX_PARTS = 20
_MAX_FIELD_BYTES = 64 * 1024
_FILE_FIELD = "image"


@dataclass(slots=True)
class _Part:
    name: str = ""
    is_file: bool = False
    is_misnamed: bool = False
    disposition: bytes = b""
    data: bytearray = field(default_factory=bytearray)


class _Reader:
    """Collects the parts while the parser walks over the body."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.ended = False
        self._header = bytearray()
        self._value = bytearray()

    def on_part_begin(self) -> None:
        if len(self.parts) == _MAX_PARTS:
            _broken(f"the form has more than {_MAX_PARTS} parts; send only the documented fields")
        self.parts.append(_Part())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self.parts[-1].disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def on_headers_finished(self) -> None:
        part = self.parts[-1]
        _, options = parse_options_header(part.disposition.decode("latin-1"))
        if b"name" not in options:
            _broken("the form has a part without a name; give every part a name")
        part.name = _text(options[b"name"], "the name of a part")
        part.is_file = part.name == _FILE_FIELD
        part.is_misnamed = b"filename" in options and part.name not in VideoRequest.model_fields | {_FILE_FIELD: None}

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self.parts[-1]
        if part.is_misnamed:
            return
        if not part.is_file and len(part.data) + end - start > _MAX_FIELD_BYTES:
            fault = FieldFault(field=part.name[:200], message=f"must have at most {_MAX_FIELD_BYTES} bytes")
            raise Refusal(ProblemCode.INVALID_REQUEST, f"{fault.field} {fault.message}", errors=[fault])
        part.data += data[start:end]

    def on_end(self) -> None:
        self.ended = True


def read_form(content_type: str, body: Iterable[bytes]) -> RawRequest:
    """Decode a form. Raises `Refusal` for a broken one, or one with fields that cannot be read."""
    parts = _parts(content_type, body)
    faults = _repeated(parts) + _misnamed(parts)
    values: dict[str, Any] = {}
    picture = None
    for part in parts:
        if part.is_file:
            picture = bytes(part.data)
        elif not part.is_misnamed:
            values[part.name] = _text(part.data, part.name)
    if "fallback" in values:
        values["fallback"] = {"true": True, "false": False}.get(values["fallback"], values["fallback"])
    if "metadata" in values:
        values["metadata"] = _metadata(values["metadata"])
    if faults:
        raise Refusal(ProblemCode.INVALID_REQUEST, "; ".join(f"{f.field} {f.message}" for f in faults), errors=faults)
    return RawRequest(values, picture)


def _parts(content_type: str, body: Iterable[bytes]) -> list[_Part]:
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        _broken("the form's content type has no boundary; send multipart/form-data with one")
    reader = _Reader()
    callbacks: Any = {
        name: getattr(reader, name)
        for name in (
            "on_part_begin",
            "on_header_field",
            "on_header_value",
            "on_header_end",
            "on_headers_finished",
            "on_part_data",
            "on_end",
        )
    }
    try:
        parser = MultipartParser(boundary, callbacks)
        for piece in body:
            parser.write(piece)
        parser.finalize()
    except FormParserError:
        _broken("the form is broken; send multipart/form-data as RFC 7578 has it")
    if not reader.ended:
        _broken("the form is cut short; its last boundary is missing")
    return reader.parts


def _repeated(parts: list[_Part]) -> list[FieldFault]:
    names = [part.name for part in parts]
    return [
        FieldFault(field=name[:200], message="must be given once")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _misnamed(parts: list[_Part]) -> list[FieldFault]:
    message = "is the name that the file part must have; here it is named "
    return [FieldFault(field=_FILE_FIELD, message=message + part.name[:200]) for part in parts if part.is_misnamed]


def _metadata(text: str) -> object:
    """Read the part with the JSON object; whatever else it holds is refused later, by its type."""
    try:
        return read_json(text.encode())
    except Refusal:
        return text


def _text(data: bytes | bytearray, what: str) -> str:
    try:
        return codecs.decode(data, "utf-8")
    except UnicodeDecodeError:
        _broken(f"{what[:200]} is not UTF-8; send the form's texts in UTF-8")


def _broken(detail: str) -> NoReturn:
    raise Refusal(ProblemCode.BAD_REQUEST, detail)
