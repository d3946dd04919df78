"""The parts of which the OpenAPI document is put together: bodies, parameters, answers, schemas."""

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.audit import AuditPage
from schemas.event import VideoEvents
from schemas.names import Provider, VideoStatus
from schemas.problem import CONTENT_TYPE as PROBLEM_TYPE
from schemas.problem import Problem, ProblemCode, problem
from schemas.published import request_schema
from schemas.status import Alive, Ready, Redelivery, Status
from schemas.video import ProviderCredits, Timeline, Video, VideoPage

Json = dict[str, Any]
_Mode = Literal["validation", "serialization"]

_ANSWERS: list[type[BaseModel]] = [
    Video,
    VideoPage,
    Timeline,
    VideoEvents,
    ProviderCredits,
    Redelivery,
    Status,
    Alive,
    Ready,
    AuditPage,
    Problem,
]
_RETRIABLE = {429, 503}


def request_body() -> Json:
    """Describe the body of a new request, as JSON and as a form."""
    return {
        "required": True,
        "content": {
            "application/json": {"schema": ref("VideoRequest")},
            "multipart/form-data": {
                "schema": ref("VideoForm"),
                "encoding": {
                    "image": {"contentType": "image/png, image/jpeg"},
                    "metadata": {"contentType": "application/json"},
                },
            },
        },
    }


def list_parameters() -> list[Json]:
    """Describe what a list may be asked for."""
    return [
        _parameter("status", "Only videos in this status.", {"type": "string", "enum": [*VideoStatus]}),
        _parameter("provider", "Only videos of this provider.", {"type": "string", "enum": [*Provider]}),
        _limit(),
        _parameter("cursor", "`next_cursor` of the page before.", {"type": "string", "format": "uuid"}),
    ]


def audit_parameters() -> list[Json]:
    """Describe what the audit log may be asked for."""
    cursor = {"type": "string", "pattern": "^[0-9]{1,18}$"}
    return [_limit(), _parameter("cursor", "`next_cursor` of the page before.", cursor)]


def _limit() -> Json:
    return _parameter("limit", "How many.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50})


def _parameter(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def schemas() -> Json:
    """Give the schemas of everything that is sent or answered."""
    models: list[tuple[type[BaseModel], _Mode]] = [(model, "serialization") for model in _ANSWERS]
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    request = request_schema()
    named = request.pop("$defs")
    text = json.dumps({**named, "VideoRequest": request}).replace("#/$defs/", "#/components/schemas/")
    schemas: Json = {**definitions["$defs"], **json.loads(text)}
    schemas["VideoForm"] = _form(schemas["VideoRequest"])
    return dict(sorted(schemas.items()))


def _form(request: Json) -> Json:
    properties = {name: _without_null(schema) for name, schema in request["properties"].items()}
    properties["image"] = {"type": "string", "format": "binary", "description": "The picture as a file part."}
    pictures = ("image", "image_url", "image_base64")
    return {
        "title": "VideoForm",
        "description": "The same fields as parts of a form; `metadata` is a part with a JSON object.",
        "type": "object",
        "properties": properties,
        "required": request["required"],
        "additionalProperties": False,
        "oneOf": [{"required": [picture]} for picture in pictures],
    }


def _without_null(schema: Json) -> Json:
    """Describe a field where null cannot be written: a part of a form."""
    if "anyOf" not in schema:
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**schema["anyOf"][0], **rest}


def location() -> Json:
    """Describe the header that names a video's address."""
    return {"Location": {"description": "Where the video can be looked at.", "schema": {"type": "string"}}}


def answer(description: str, model: str, headers: Json | None = None) -> Json:
    """Describe an answer with a document."""
    described: Json = {"description": description, "content": {"application/json": {"schema": ref(model)}}}
    return {**described, "headers": headers} if headers else described


def problems(codes: Iterable[ProblemCode]) -> Json:
    """Describe the problem answers, those that share a status together; each code is named."""
    by_status: dict[int, list[ProblemCode]] = {}
    for code in codes:
        by_status.setdefault(problem(code, "").status, []).append(code)
    return {str(status): _problem(status, sharing) for status, sharing in sorted(by_status.items())}


def _problem(status: int, codes: list[ProblemCode]) -> Json:
    described = "; ".join(f"`{code}`: {problem(code, '').title.lower()}" for code in codes)
    schema = {"allOf": [ref("Problem"), {"properties": {"code": {"enum": [*codes]}}}]}
    answer: Json = {"description": f"{described}.", "content": {PROBLEM_TYPE: {"schema": schema}}}
    if status in _RETRIABLE:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def ref(model: str) -> Json:
    """Refer to a schema."""
    return {"$ref": f"#/components/schemas/{model}"}
