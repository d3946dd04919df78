"""The paths of the OpenAPI document that make videos and follow them."""

from documents.openapi_parameters import VIDEO_ID, list_parameters, waiting_parameters
from documents.openapi_parts import ALWAYS, Json, answer, batch_body, location, problems, request_body, tag_headers
from schemas.problem import ProblemCode
from schemas.request import MAX_IDEMPOTENCY_KEY

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


def video_paths() -> Json:
    """Describe them."""
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
                    **problems(ALWAYS + _ACCEPTING),
                },
            },
            "get": {
                "operationId": "listVideos",
                "summary": "List videos, newest first",
                "tags": ["videos"],
                "parameters": list_parameters(),
                "responses": {
                    "200": answer("A page of videos.", "VideoPage"),
                    **problems((*ALWAYS, ProblemCode.INVALID_REQUEST)),
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
                "parameters": [VIDEO_ID],
                "responses": {
                    "202": answer("It will be published again.", "Redelivery"),
                    **problems((*ALWAYS, ProblemCode.NOT_FOUND, ProblemCode.NO_TERMINAL_EVENT)),
                },
            }
        },
        "/v1/videos/{id}/retry": {"post": _retry()},
        "/v1/videos/{id}/cancel": {"post": _cancel()},
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
        "parameters": [VIDEO_ID],
        "requestBody": {"required": False, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "202": answer("A new video, with `retry_of`.", "Video", location()),
            "200": answer("The video that an earlier retry made.", "Video", location()),
            **problems((*ALWAYS, *_RETRYING)),
        },
    }


def _cancel() -> Json:
    return {
        "operationId": "cancel",
        "summary": "Stop a video, as far as that can be done",
        "description": (
            "What was never sent to a provider ends at once. A job that a provider may have is its provider's to stop:"
            " the video ends as failed with `cancelled` only when the provider said so, and as usual otherwise."
            " Nothing more is sent for it either way. The same again changes nothing and tells how it stands."
        ),
        "tags": ["videos"],
        "parameters": [VIDEO_ID],
        "responses": {
            "200": answer("It is stopped, or it was too late.", "Cancellation"),
            "202": answer("The provider is asked; the video's end tells what came of it.", "Cancellation"),
            **problems((*ALWAYS, ProblemCode.NOT_FOUND, ProblemCode.CANCEL_UNSUPPORTED)),
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
            **problems(ALWAYS + _TAKING),
        },
    }


def _get_video() -> Json:
    return {
        "operationId": "getVideo",
        "summary": "Show a video, now or when it has ended",
        "tags": ["videos"],
        "parameters": [VIDEO_ID, *waiting_parameters()],
        "responses": {
            "200": answer("Show a video.", "Video", tag_headers()),
            "304": {"description": "It is what `If-None-Match` names.", "headers": tag_headers()},
            **problems((*ALWAYS, ProblemCode.NOT_FOUND)),
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
        "parameters": [VIDEO_ID],
        "responses": {
            "204": {"description": "It is gone."},
            **problems((*ALWAYS, ProblemCode.NOT_FOUND, ProblemCode.NOT_FINISHED)),
        },
    }


def _of_video(operation: str, summary: str, model: str) -> Json:
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "tags": ["videos"],
            "parameters": [VIDEO_ID],
            "responses": {"200": answer(f"{summary}.", model), **problems((*ALWAYS, ProblemCode.NOT_FOUND))},
        }
    }
