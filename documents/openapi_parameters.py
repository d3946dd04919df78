"""What a request may be asked by besides its body: the parameters of the OpenAPI document."""

from documents.openapi_parts import Json
from schemas.names import PROVIDERS, VideoStatus

VIDEO_ID: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The video's id.",
    "schema": {"type": "string", "format": "uuid"},
}

_TIME = {"type": "string", "format": "date-time"}


def waiting_parameters() -> list[Json]:
    """Describe how to wait for news of a document, and how not to be sent it again."""
    wait = "`wait=30` waits up to so many seconds (60 at most) for the end, or for what `If-None-Match` does not name."
    return [
        _parameter("Prefer", wait, {"type": "string"}, place="header"),
        _parameter("If-None-Match", "The `ETag` of the document that is there.", {"type": "string"}, place="header"),
    ]


def list_parameters() -> list[Json]:
    """Describe what a list may be asked for."""
    return [
        _parameter("status", "Only videos in this status.", {"type": "string", "enum": [*VideoStatus]}),
        _parameter("provider", "Only videos of this provider.", {"type": "string", "enum": [*PROVIDERS]}),
        _parameter(
            "metadata.{key}",
            "Only videos with this value under a key of their metadata: `metadata.listing=42`. Several must all match.",
            {"type": "string"},
        ),
        _parameter("since", "Only videos made at this time or later.", _TIME),
        _parameter("until", "Only videos made before this time.", _TIME),
        _limit(),
        _parameter("cursor", "`next_cursor` of the page before.", {"type": "string", "format": "uuid"}),
    ]


def audit_parameters() -> list[Json]:
    """Describe what the audit log may be asked for."""
    cursor = {"type": "string", "pattern": "^[0-9]{1,18}$"}
    return [_limit(), _parameter("cursor", "`next_cursor` of the page before.", cursor)]


def _limit() -> Json:
    return _parameter("limit", "How many.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50})


def _parameter(name: str, description: str, schema: Json, *, place: str = "query") -> Json:
    return {"name": name, "in": place, "description": description, "schema": schema}
