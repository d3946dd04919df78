"""The JSON Schemas (2020-12) that subscribers take as files: of a video, and one that every event fits."""

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from schemas.event import DATA_SCHEMA, Event
from schemas.problem import Problem
from schemas.request import VideoRequest
from schemas.video import Document, Video

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_WHEN = {
    "video.ready": {"status": {"const": "ready"}, "output_urls": {"minItems": 1}},
    "video.failed": {"status": {"const": "failed"}, "error": {"type": "object"}, "refund": {"type": "object"}},
}


_EXTENSIONS: Json = {
    "reelbustest": {"const": True, "description": "Only in events of `reelbus trigger`: nothing really happened."},
}
"""A CloudEvents extension attribute that only test events have."""


def video_schema() -> Json:
    """Describe a video, as the API and every event show it."""
    return {**_described(Video, "video.v1.json"), "$id": DATA_SCHEMA}


def events_schema() -> Json:
    """Describe every event: the envelope, and what each terminal type says of its video."""
    rules = [
        {
            "if": {"properties": {"type": {"const": event_type}}},
            "then": {"properties": {"data": {"properties": properties}}},
        }
        for event_type, properties in _WHEN.items()
    ]
    event = _described(Event, "event.v1.json")
    return {**event, "properties": {**event["properties"], **_EXTENSIONS}, "allOf": rules}


def schema_files() -> dict[str, Json]:
    """Give every published schema under the name that it is served and kept by."""
    return {
        "video.v1.json": video_schema(),
        "event.v1.json": events_schema(),
        "request.v1.json": request_schema("request.v1.json"),
        "problem.v1.json": _described(Problem, "problem.v1.json"),
    }


def request_schema(name: str | None = None) -> Json:
    """Describe a request in JSON, with the rule that it has exactly one picture."""
    schema = VideoRequest.model_json_schema(mode="validation")
    schema["oneOf"] = [
        {
            "required": [given],
            "properties": {given: {"type": "string"}, other: {"type": "null"}},
        }
        for given, other in (("image_url", "image_base64"), ("image_base64", "image_url"))
    ]
    return _headed(schema, name) if name else schema


def file_text(document: Json) -> str:
    """Give the text that a document's file must hold."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _described(model: type[Document], name: str) -> Json:
    _, definitions = models_json_schema([(model, "serialization")])
    all_of_them = definitions["$defs"]
    own = all_of_them.pop(model.__name__)
    return _headed({**own, "$defs": all_of_them} if all_of_them else own, name)


def _headed(schema: Json, name: str) -> Json:
    return {"$schema": DIALECT, "$id": f"/schemas/{name}", **schema}
