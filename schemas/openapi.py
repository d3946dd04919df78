"""The OpenAPI 3.1 document, made from the models that requests and answers are checked against."""

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.event import VideoEvents
from schemas.names import Provider, VideoStatus
from schemas.problem import CONTENT_TYPE as PROBLEM_TYPE
from schemas.problem import Problem, ProblemCode, problem
from schemas.published import events_schema, request_schema, video_schema
from schemas.request import MAX_IDEMPOTENCY_KEY
from schemas.status import Alive, Ready, Redelivery, Status
from schemas.video import ProviderCredits, Timeline, Video, VideoPage

__all__ = ["events_schema", "openapi", "video_schema"]

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
    Problem,
]
_ALWAYS = (ProblemCode.UNAUTHORIZED, ProblemCode.RATE_LIMITED, ProblemCode.OVERLOADED, ProblemCode.NOT_READY)
_ACCEPTING = (
    ProblemCode.BAD_REQUEST,
    ProblemCode.REQUEST_TIMEOUT,
    ProblemCode.IDEMPOTENCY_CONFLICT,
    ProblemCode.PAYLOAD_TOO_LARGE,
    ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    ProblemCode.INVALID_REQUEST,
    ProblemCode.IMAGE_REJECTED,
    ProblemCode.MOTION_UNSUPPORTED,
    ProblemCode.PROVIDER_DISABLED,
)
_RETRIABLE = {429, 503}

_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The video's id.",
    "schema": {"type": "string", "format": "uuid"},
}
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "The same key with the same fields and picture gives the video that was made first (200), with others 409."
        " Kept for at least 24 hours."
    ),
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_IDEMPOTENCY_KEY,
        "pattern": "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$",
    },
}


def openapi() -> Json:
    """Build the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "reelbus",
            "version": "1.0.0",
            "summary": "Videos made from pictures, by several providers, behind one API.",
            "description": (
                "Accepts picture-to-video jobs, has a provider make them, and announces how each ends: as an event on"
                " RabbitMQ and over Server-Sent Events. Every error is a problem document after RFC 9457 with a stable"
                " `code`; `/docs/problems` explains each. Events and commands are described in `/docs/events`."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "videos", "description": "Make videos and follow them."},
            {"name": "events", "description": "Hear how they end."},
            {"name": "providers", "description": "Called by providers; no API key is needed."},
            {"name": "operations", "description": "Watch over the service."},
        ],
        "security": [{"key": []}],
        "paths": {**_video_paths(), **_operator_paths(), **_provider_paths()},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "One of the configured API keys."}
            },
        },
    }


def _video_paths() -> Json:
    return {
        "/v1/videos": {
            "post": {
                "operationId": "createVideo",
                "summary": "Make a video of a picture",
                "tags": ["videos"],
                "parameters": [_IDEMPOTENCY_KEY],
                "requestBody": _request_body(),
                "responses": {
                    "202": _answer("Accepted: it will end in exactly one terminal event.", "Video", _location()),
                    "200": _answer("The video that this idempotency key already made.", "Video", _location()),
                    **_problems(_ALWAYS + _ACCEPTING),
                },
            },
            "get": {
                "operationId": "listVideos",
                "summary": "List videos, newest first",
                "tags": ["videos"],
                "parameters": _list_parameters(),
                "responses": {
                    "200": _answer("A page of videos.", "VideoPage"),
                    **_problems((*_ALWAYS, ProblemCode.INVALID_REQUEST)),
                },
            },
        },
        "/v1/videos/{id}": _of_video("getVideo", "Show a video", "Video"),
        "/v1/videos/{id}/timeline": _of_video("getTimeline", "Show all that happened to a video", "Timeline"),
        "/v1/videos/{id}/events": _of_video("getVideoEvents", "Show a video's events", "VideoEvents"),
        "/v1/videos/{id}/redeliver": {
            "post": {
                "operationId": "redeliver",
                "summary": "Publish a video's terminal event again, under the same event id",
                "tags": ["events"],
                "parameters": [_ID],
                "responses": {
                    "202": _answer("It will be published again.", "Redelivery"),
                    **_problems((*_ALWAYS, ProblemCode.NOT_FOUND, ProblemCode.NO_TERMINAL_EVENT)),
                },
            }
        },
    }


def _of_video(operation: str, summary: str, model: str) -> Json:
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "tags": ["videos"],
            "parameters": [_ID],
            "responses": {"200": _answer(f"{summary}.", model), **_problems((*_ALWAYS, ProblemCode.NOT_FOUND))},
        }
    }


def _operator_paths() -> Json:
    credits_schema = {"type": "object", "additionalProperties": _ref("ProviderCredits")}
    return {
        "/v1/events": {
            "get": {
                "operationId": "listenToEvents",
                "summary": "Hear events as they are decided, as Server-Sent Events",
                "description": (
                    "`id:` is the event's id, `event:` its type, `data:` the whole event on one line, as it is on"
                    " RabbitMQ. Begins now, or after `Last-Event-ID`. A comment comes every 15 seconds."
                ),
                "tags": ["events"],
                "parameters": [
                    {
                        "name": "Last-Event-ID",
                        "in": "header",
                        "description": "The id of the last event that was heard.",
                        "schema": {"type": "string"},
                    }
                ],
                "responses": {
                    "200": {
                        "description": "The stream.",
                        "content": {"text/event-stream": {"schema": {"type": "string"}}},
                    },
                    **_problems(_ALWAYS),
                },
            }
        },
        "/v1/credits": _plain("credits", "Show each provider's credits", credits_schema, _ALWAYS),
        "/v1/status": _plain("status", "Show broker, backlog and providers", _ref("Status"), _ALWAYS),
        "/healthz": _plain("alive", "Say whether this process answers", _ref("Alive"), ()),
        "/readyz": _plain("ready", "Say whether store and broker can be used", _ref("Ready"), (ProblemCode.NOT_READY,)),
    }


def _plain(operation: str, summary: str, schema: Json, codes: tuple[ProblemCode, ...]) -> Json:
    operation_document: Json = {
        "operationId": operation,
        "summary": summary,
        "tags": ["operations"],
        "responses": {
            "200": {"description": f"{summary}.", "content": {"application/json": {"schema": schema}}},
            **_problems(codes),
        },
    }
    if ProblemCode.UNAUTHORIZED not in codes:
        operation_document["security"] = []
    return {"get": operation_document}


def _provider_paths() -> Json:
    token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/webhooks/iacrea/{token}": {
            method: {
                "operationId": f"webhook{method.capitalize()}",
                "summary": summary,
                "tags": ["providers"],
                "security": [],
                "parameters": [token],
                **body,
                "responses": {
                    "200": {
                        "description": summary,
                        "content": {"application/json": {"schema": {"type": "object", "maxProperties": 0}}},
                    },
                    **_problems(codes),
                },
            }
            for method, summary, body, codes in _webhook_methods()
        },
        "/media/{token}": {
            "get": {
                "operationId": "getPicture",
                "summary": "Fetch an uploaded picture, for as long as its address lives",
                "tags": ["providers"],
                "security": [],
                "parameters": [token],
                "responses": {
                    "200": {
                        "description": "The picture.",
                        "content": {
                            kind: {"schema": {"type": "string", "format": "binary"}}
                            for kind in ("image/png", "image/jpeg")
                        },
                    },
                    **_problems((ProblemCode.NOT_FOUND, ProblemCode.OVERLOADED, ProblemCode.NOT_READY)),
                },
            }
        },
    }


def _webhook_methods() -> Iterable[tuple[str, str, Json, tuple[ProblemCode, ...]]]:
    anything = {"requestBody": {"content": {"*/*": {"schema": {}}}, "description": "Whatever; kept up to 64 KiB."}}
    recorded = "Recorded durably; whatever the body says, the provider itself will be asked."
    failing = (
        ProblemCode.NOT_FOUND,
        ProblemCode.REQUEST_TIMEOUT,
        ProblemCode.OVERLOADED,
        ProblemCode.NOT_READY,
    )
    yield "post", recorded, anything, failing
    yield "put", recorded, anything, failing
    yield "get", "A valid address; nothing was done.", {}, (ProblemCode.NOT_FOUND, ProblemCode.OVERLOADED)


def _request_body() -> Json:
    return {
        "required": True,
        "content": {
            "application/json": {"schema": _ref("VideoRequest")},
            "multipart/form-data": {
                "schema": _ref("VideoForm"),
                "encoding": {
                    "image": {"contentType": "image/png, image/jpeg"},
                    "metadata": {"contentType": "application/json"},
                },
            },
        },
    }


def _list_parameters() -> list[Json]:
    def parameter(name: str, description: str, schema: Json) -> Json:
        return {"name": name, "in": "query", "description": description, "schema": schema}

    return [
        parameter("status", "Only videos in this status.", {"type": "string", "enum": [*VideoStatus]}),
        parameter("provider", "Only videos of this provider.", {"type": "string", "enum": [*Provider]}),
        parameter("limit", "How many.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
        parameter("cursor", "`next_cursor` of the page before.", {"type": "string", "format": "uuid"}),
    ]


def _schemas() -> Json:
    models: list[tuple[type[BaseModel], _Mode]] = [(model, "serialization") for model in _ANSWERS]
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    request = request_schema()
    named = request.pop("$defs")
    text = json.dumps({**named, "VideoRequest": request}).replace("#/$defs/", "#/components/schemas/")
    schemas: Json = {**definitions["$defs"], **json.loads(text)}
    schemas["VideoForm"] = _form(schemas["VideoRequest"])
    return dict(sorted(schemas.items()))


def _form(request: Json) -> Json:
    properties = dict(request["properties"])
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


def _location() -> Json:
    return {"Location": {"description": "Where the video can be looked at.", "schema": {"type": "string"}}}


def _answer(description: str, model: str, headers: Json | None = None) -> Json:
    answer: Json = {"description": description, "content": {"application/json": {"schema": _ref(model)}}}
    return {**answer, "headers": headers} if headers else answer


def _problems(codes: Iterable[ProblemCode]) -> Json:
    """Describe the problem answers, those that share a status together; each code is named."""
    by_status: dict[int, list[ProblemCode]] = {}
    for code in codes:
        by_status.setdefault(problem(code, "").status, []).append(code)
    return {str(status): _problem(status, sharing) for status, sharing in sorted(by_status.items())}


def _problem(status: int, codes: list[ProblemCode]) -> Json:
    described = "; ".join(f"`{code}`: {problem(code, '').title.lower()}" for code in codes)
    schema = {"allOf": [_ref("Problem"), {"properties": {"code": {"enum": [*codes]}}}]}
    answer: Json = {"description": f"{described}.", "content": {PROBLEM_TYPE: {"schema": schema}}}
    if status in _RETRIABLE:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _ref(model: str) -> Json:
    return {"$ref": f"#/components/schemas/{model}"}
