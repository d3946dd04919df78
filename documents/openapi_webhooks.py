"""The paths of the OpenAPI document that providers call."""

from collections.abc import Iterable

from documents.openapi_parts import (
    Json,
    problems,
)
from schemas.problem import ProblemCode


def provider_paths() -> Json:
    """Describe them."""
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
