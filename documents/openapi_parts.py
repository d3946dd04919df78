"""The parts of which the OpenAPI document is put together: bodies, parameters, answers, schemas."""

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from documents.json_schemas import request_schema
from schemas.audit import AuditPage
from schemas.batch import MOST, BatchResults
from schemas.cancellation import Cancellation
from schemas.dead_commands import DeadCommands
from schemas.drift import Drift
from schemas.event import VideoEvents
from schemas.problem import CONTENT_TYPE as PROBLEM_TYPE
from schemas.problem import Problem, ProblemCode, problem
from schemas.status import Alive, NamedProvider, ProviderList, Ready, Redelivery, Status
from schemas.subscriptions import Subscriptions
from schemas.video import ProviderCredits, Timeline, Video, VideoPage
from schemas.webhooks import RefusedWebhooks, WebhookPage

Json = dict[str, Any]
_Mode = Literal["validation", "serialization"]

_ANSWERS: list[type[BaseModel]] = [
    Video,
    VideoPage,
    Timeline,
    VideoEvents,
    ProviderCredits,
    Redelivery,
    Cancellation,
    Drift,
    NamedProvider,
    ProviderList,
    Status,
    Alive,
    Ready,
    AuditPage,
    DeadCommands,
    Subscriptions,
    WebhookPage,
    RefusedWebhooks,
    BatchResults,
    Problem,
]
_RETRIABLE = {429, 503}
ALWAYS = (
    ProblemCode.UNAUTHORIZED,
    ProblemCode.FORBIDDEN,
    ProblemCode.RATE_LIMITED,
    ProblemCode.OVERLOADED,
    ProblemCode.NOT_READY,
)
"""What any request may be answered, whatever it asks for."""


def request_body() -> Json:
    """Describe the body of a new request, as JSON and as a form."""
    return {
        "required": True,
        "content": {
            "application/json": {"schema": ref("VideoRequest"), "examples": _REQUEST_EXAMPLES},
            "multipart/form-data": {
                "schema": ref("VideoForm"),
                "encoding": {
                    "image": {"contentType": "image/png, image/jpeg"},
                    "metadata": {"contentType": "application/json"},
                },
            },
        },
    }


_PICTURE = "https://images.example.com/house.jpg"
_REQUEST_EXAMPLES: Json = {
    "smallest": {"summary": "A picture and a motion", "value": {"image_url": _PICTURE, "motion": "zoom_in"}},
    "whole": {
        "summary": "Everything that can be said",
        "value": {
            "image_url": _PICTURE,
            "motion": "pan_left",
            "prompt": "a calm evening",
            "orientation": "portrait",
            "provider": "auto",
            "fallback": True,
            "metadata": {"listing": "42"},
        },
    },
}
_BATCH_EXAMPLE: Json = {
    "summary": "Two videos",
    "value": {
        "requests": [
            {"image_url": _PICTURE, "motion": "zoom_in", "metadata": {"listing": "42"}},
            {"image_url": _PICTURE, "motion": "auto", "metadata": {"listing": "43"}},
        ]
    },
}


def batch_body() -> Json:
    """Describe the body of a batch."""
    # No type: what is no request costs its own result alone.
    item = {
        "description": "A request as `POST /v1/videos` takes it, and its idempotency key if it has one of its own.",
        "examples": [_REQUEST_EXAMPLES["smallest"]["value"]],
    }
    requests = {"type": "array", "minItems": 1, "maxItems": MOST, "items": item}
    whole = {"type": "object", "properties": {"requests": requests}, "required": ["requests"]}
    schema = {"oneOf": [{**whole, "additionalProperties": False}, requests]}
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "examples": {"two": _BATCH_EXAMPLE}}},
    }


def tag_headers() -> Json:
    """Describe the headers that go with a document that has a tag."""
    return {
        "ETag": {"description": "Changes with the document.", "schema": {"type": "string"}},
        "Preference-Applied": {"description": "For how long it would have waited.", "schema": {"type": "string"}},
    }


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
    return {
        "Location": {"description": "Where the video can be looked at.", "schema": {"type": "string"}},
        "Link": {
            "description": "On a request for a video: itself, its events and its page in the console (RFC 8288).",
            "schema": {"type": "string"},
        },
    }


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
