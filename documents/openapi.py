"""The OpenAPI 3.1 document, made from the models that requests and answers are checked against."""

from documents.json_schemas import events_schema, video_schema
from documents.openapi_operations import operation_paths
from documents.openapi_parameters import audit_parameters
from documents.openapi_parts import ALWAYS, Json, answer, problems, ref, schemas
from documents.openapi_videos import video_paths
from documents.openapi_webhooks import provider_paths
from schemas.names import PROVIDERS
from schemas.problem import ProblemCode

__all__ = ["events_schema", "openapi", "video_schema"]


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
            {"name": "events", "description": "Subscribe to results."},
            {"name": "providers", "description": "Called by providers; no API key is needed."},
            {"name": "operations", "description": "Watch over the service."},
        ],
        "security": [{"key": []}],
        "paths": {**video_paths(), **_operator_paths(), **operation_paths(), **provider_paths()},
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


def _operator_paths() -> Json:
    credits_schema = {"type": "object", "additionalProperties": ref("ProviderCredits")}
    return {
        "/v1/events": {
            "get": {
                "operationId": "listenToEvents",
                "summary": "Stream events as they are decided (Server-Sent Events)",
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
                    },
                    {
                        "name": "video",
                        "in": "query",
                        "description": "Only the events of the video of this id.",
                        "schema": {"type": "string"},
                    },
                ],
                "responses": {
                    "200": {
                        "description": "The stream.",
                        "content": {"text/event-stream": {"schema": {"type": "string"}}},
                    },
                    **problems(ALWAYS),
                },
            }
        },
        "/v1/credits": _plain("credits", "Show the credits of each provider that is used", credits_schema, ALWAYS),
        "/v1/audit": _audit(),
        "/v1/status": _plain("status", "Show broker, backlog and providers", ref("Status"), ALWAYS),
        "/v1/subscriptions": _plain(
            "subscriptions", "Show which queues are bound to the exchange of events", ref("Subscriptions"), ALWAYS
        ),
        "/v1/drift": _plain("drift", "Show answers that no page of a provider documents", ref("Drift"), ALWAYS),
        "/v1/providers": _plain("listProviders", "Show how each provider is doing", ref("ProviderList"), ALWAYS),
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
                **problems((*ALWAYS, ProblemCode.INVALID_REQUEST)),
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
                **problems((*ALWAYS, ProblemCode.NOT_FOUND)),
            },
        }
    }
