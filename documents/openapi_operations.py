"""The operators' part of the OpenAPI document: webhooks, parked commands, settings, and a check now."""

from documents.openapi_parameters import audit_parameters
from documents.openapi_parts import Json, answer, problems
from schemas.problem import ProblemCode

_ALWAYS = (
    ProblemCode.UNAUTHORIZED,
    ProblemCode.FORBIDDEN,
    ProblemCode.RATE_LIMITED,
    ProblemCode.OVERLOADED,
    ProblemCode.NOT_READY,
)
_VIDEO_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The video's id.",
    "schema": {"type": "string", "format": "uuid"},
}
_COMMAND_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "A parked command's id, or its message id.",
    "schema": {"type": "string", "minLength": 1},
}
_SETTINGS: Json = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "source", "value"],
                "properties": {"name": {"type": "string"}, "source": {"type": "string"}, "value": {}},
            },
        }
    },
}


def operation_paths() -> Json:
    """Describe what only operators use; each needs the scope `operate`."""
    return {**_looking_paths(), **_command_paths()}


def _looking_paths() -> Json:
    return {
        "/v1/videos/{id}/check": {
            "post": _operation(
                "checkNow",
                "Have the provider asked about a video now",
                {"202": answer("The check is due; the video as it is now.", "Video")},
                (ProblemCode.NOT_FOUND, ProblemCode.NOT_GENERATING),
                [_VIDEO_ID],
            )
        },
        "/v1/webhooks": {
            "get": _operation(
                "listWebhooks",
                "Show the webhooks that were recorded, newest first",
                {"200": answer("A page of deliveries.", "WebhookPage")},
                (ProblemCode.INVALID_REQUEST,),
                audit_parameters(),
            )
        },
        "/v1/webhooks/refused": {
            "get": _operation(
                "listRefusedWebhooks",
                "Show the newest webhook requests that were refused",
                {"200": answer("The newest refused requests.", "RefusedWebhooks")},
            )
        },
        "/v1/settings": {
            "get": _operation(
                "showSettings",
                "Show the settings of this process and where each comes from, secrets masked",
                {"200": {"description": "Every setting.", "content": {"application/json": {"schema": _SETTINGS}}}},
            )
        },
    }


def _command_paths() -> Json:
    gone = {"204": {"description": "Done."}}
    return {
        "/v1/dead-commands": {
            "get": _operation(
                "listDeadCommands",
                "Show the oldest commands that nobody could handle",
                {"200": answer("The oldest hundred.", "DeadCommands")},
            )
        },
        "/v1/dead-commands/{id}": {
            "delete": _operation(
                "dropDeadCommand", "Take a parked command away for good", gone, (ProblemCode.NOT_FOUND,), [_COMMAND_ID]
            )
        },
        "/v1/dead-commands/{id}/requeue": {
            "post": _operation(
                "requeueDeadCommand", "Put a parked command back", gone, (ProblemCode.NOT_FOUND,), [_COMMAND_ID]
            )
        },
    }


def _operation(
    operation: str,
    summary: str,
    answers: Json,
    codes: tuple[ProblemCode, ...] = (),
    parameters: list[Json] | None = None,
) -> Json:
    return {
        "operationId": operation,
        "summary": summary,
        "description": "Needs the scope `operate`.",
        "tags": ["operations"],
        "parameters": parameters or [],
        "responses": {**answers, **problems((*_ALWAYS, *codes))},
    }
