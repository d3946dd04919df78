"""The OpenAPI 3.1 document, made from the models that requests and answers are checked against."""

from collections.abc import Iterable

from documents.json_schemas import events_schema, video_schema
from documents.openapi_operations import operation_paths
from documents.openapi_parts import (
    Json,
    answer,
    audit_parameters,
    batch_body,
    list_parameters,
    location,
    problems,
    ref,
    request_body,
    schemas,
    tag_headers,
    waiting_parameters,
)
from schemas.names import PROVIDERS
from schemas.problem import ProblemCode
from schemas.request import MAX_IDEMPOTENCY_KEY

__all__ = ["events_schema", "openapi", "video_schema"]

_ALWAYS = (
    ProblemCode.UNAUTHORIZED,
    ProblemCode.FORBIDDEN,
    ProblemCode.RATE_LIMITED,
    ProblemCode.OVERLOADED,
    ProblemCode.NOT_READY,
)
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
    ProblemCode.BUDGET_EXHAUSTED,
)
_TAKING = (
    ProblemCode.BAD_REQUEST,
    ProblemCode.REQUEST_TIMEOUT,
    ProblemCode.PAYLOAD_TOO_LARGE,
    ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    ProblemCode.INVALID_REQUEST,
)
_RETRYING = (
    ProblemCode.BUDGET_EXHAUSTED,
    ProblemCode.BAD_REQUEST,
    ProblemCode.NOT_FOUND,
    ProblemCode.REQUEST_TIMEOUT,
    ProblemCode.NOT_FAILED,
    ProblemCode.RETRY_MAY_PAY_TWICE,
    ProblemCode.PAYLOAD_TOO_LARGE,
    ProblemCode.INVALID_REQUEST,
    ProblemCode.IMAGE_REJECTED,
    ProblemCode.MOTION_UNSUPPORTED,
    ProblemCode.PROVIDER_DISABLED,
)
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
        "paths": {**_video_paths(), **_operator_paths(), **operation_paths(), **_provider_paths()},
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A configured or created API key; each operation needs one of its scopes.",
                }
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
                "requestBody": request_body(),
                "responses": {
                    "202": answer("Accepted: it will end in exactly one terminal event.", "Video", location()),
                    "200": answer("The video that this idempotency key already made.", "Video", location()),
                    **problems(_ALWAYS + _ACCEPTING),
                },
            },
            "get": {
                "operationId": "listVideos",
                "summary": "List videos, newest first",
                "tags": ["videos"],
                "parameters": list_parameters(),
                "responses": {
                    "200": answer("A page of videos.", "VideoPage"),
                    **problems((*_ALWAYS, ProblemCode.INVALID_REQUEST)),
                },
            },
        },
        "/v1/videos/batch": {"post": _batch()},
        "/v1/videos/{id}": {"get": _get_video(), "delete": _erase()},
        "/v1/videos/{id}/timeline": _of_video("getTimeline", "Show all that happened to a video", "Timeline"),
        "/v1/videos/{id}/events": _of_video("getVideoEvents", "Show a video's events", "VideoEvents"),
        "/v1/videos/{id}/redeliver": {
            "post": {
                "operationId": "redeliver",
                "summary": "Publish a video's terminal event again, under the same event id",
                "tags": ["events"],
                "parameters": [_ID],
                "responses": {
                    "202": answer("It will be published again.", "Redelivery"),
                    **problems((*_ALWAYS, ProblemCode.NOT_FOUND, ProblemCode.NO_TERMINAL_EVENT)),
                },
            }
        },
        "/v1/videos/{id}/retry": {"post": _retry()},
    }


def _retry() -> Json:
    accept_risk = {"type": "boolean", "default": False, "description": "Retry even what may have been paid for."}
    schema = {"type": "object", "properties": {"accept_risk": accept_risk}, "additionalProperties": False}
    return {
        "operationId": "retry",
        "summary": "Make a failed video again, as a new one",
        "description": (
            "As long as the new video has not failed, every further retry of the same one gives it again (200)."
        ),
        "tags": ["videos"],
        "parameters": [_ID],
        "requestBody": {"required": False, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "202": answer("A new video, with `retry_of`.", "Video", location()),
            "200": answer("The video that an earlier retry made.", "Video", location()),
            **problems((*_ALWAYS, *_RETRYING)),
        },
    }


def _batch() -> Json:
    return {
        "operationId": "createVideos",
        "summary": "Make up to 100 videos at once",
        "description": (
            "Each request is taken or refused for itself: `items` of the answer has, in the order of the requests, the"
            " status that each would have had alone, with its video or its problem. A request may bring its own"
            " `idempotency_key`; those that bring none are told apart by their place under the header's key."
        ),
        "tags": ["videos"],
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": batch_body(),
        "responses": {
            "207": answer("What became of each request.", "BatchResults"),
            **problems(_ALWAYS + _TAKING),
        },
    }


def _get_video() -> Json:
    return {
        "operationId": "getVideo",
        "summary": "Show a video, now or when it has ended",
        "tags": ["videos"],
        "parameters": [_ID, *waiting_parameters()],
        "responses": {
            "200": answer("Show a video.", "Video", tag_headers()),
            "304": {"description": "It is what `If-None-Match` names.", "headers": tag_headers()},
            **problems((*_ALWAYS, ProblemCode.NOT_FOUND)),
        },
    }


def _erase() -> Json:
    return {
        "operationId": "eraseVideo",
        "summary": "Erase a video that has ended, with everything that is kept of it",
        "description": (
            "Needs the scope `operate`. Its picture, attempts, timeline, webhooks, events and idempotency key go; the"
            " sums of credits stay. What subscribers and the broker's log have is theirs."
        ),
        "tags": ["operations"],
        "parameters": [_ID],
        "responses": {
            "204": {"description": "It is gone."},
            **problems((*_ALWAYS, ProblemCode.NOT_FOUND, ProblemCode.NOT_FINISHED)),
        },
    }


def _of_video(operation: str, summary: str, model: str) -> Json:
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "tags": ["videos"],
            "parameters": [_ID],
            "responses": {"200": answer(f"{summary}.", model), **problems((*_ALWAYS, ProblemCode.NOT_FOUND))},
        }
    }


def _operator_paths() -> Json:
    credits_schema = {"type": "object", "additionalProperties": ref("ProviderCredits")}
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
                    **problems(_ALWAYS),
                },
            }
        },
        "/v1/credits": _plain("credits", "Show each provider's credits", credits_schema, _ALWAYS),
        "/v1/audit": _audit(),
        "/v1/status": _plain("status", "Show broker, backlog and providers", ref("Status"), _ALWAYS),
        "/v1/providers": _plain("listProviders", "Show how each provider is doing", ref("ProviderList"), _ALWAYS),
        "/v1/providers/{name}/pause": _of_provider("pauseProvider", "Give a provider no new work"),
        "/v1/providers/{name}/resume": _of_provider("resumeProvider", "Give a provider work again"),
        "/healthz": _plain("alive", "Say whether this process answers", ref("Alive"), ()),
        "/readyz": _plain("ready", "Say whether store and broker can be used", ref("Ready"), (ProblemCode.NOT_READY,)),
    }


def _audit() -> Json:
    return {
        "get": {
            "operationId": "audit",
            "summary": "Show who did what, newest first",
            "description": "Needs the scope `operate`. The newest million entries are kept, for at most 90 days.",
            "tags": ["operations"],
            "parameters": audit_parameters(),
            "responses": {
                "200": answer("A page of the audit log.", "AuditPage"),
                **problems((*_ALWAYS, ProblemCode.INVALID_REQUEST)),
            },
        }
    }


def _plain(operation: str, summary: str, schema: Json, codes: tuple[ProblemCode, ...]) -> Json:
    operation_document: Json = {
        "operationId": operation,
        "summary": summary,
        "tags": ["operations"],
        "responses": {
            "200": {"description": f"{summary}.", "content": {"application/json": {"schema": schema}}},
            **problems(codes),
        },
    }
    if ProblemCode.UNAUTHORIZED not in codes:
        operation_document["security"] = []
    return {"get": operation_document}


def _of_provider(operation: str, summary: str) -> Json:
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": [*PROVIDERS]}}
    return {
        "post": {
            "operationId": operation,
            "summary": summary,
            "tags": ["operations"],
            "parameters": [name],
            "responses": {
                "200": answer("The provider as it is then.", "NamedProvider"),
                **problems((*_ALWAYS, ProblemCode.NOT_FOUND)),
            },
        }
    }


def _provider_paths() -> Json:
    token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
    provider = {"name": "provider", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/webhooks/{provider}/{token}": {
            method: {
                "operationId": f"webhook{method.capitalize()}",
                "summary": summary,
                "tags": ["providers"],
                "security": [],
                "parameters": [provider, token],
                **body,
                "responses": {
                    "200": {
                        "description": summary,
                        "content": {"application/json": {"schema": {"type": "object", "maxProperties": 0}}},
                    },
                    **problems(codes),
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
                    **problems((ProblemCode.NOT_FOUND, ProblemCode.OVERLOADED, ProblemCode.NOT_READY)),
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
