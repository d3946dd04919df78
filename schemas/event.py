"""The event: a CloudEvents 1.0 envelope in structured JSON around a video.

Envelope attributes are those of the CloudEvents specification, version 1.0.2, with the JSON event format.
"""

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from schemas.names import EventType
from schemas.video import Document, Failure, Timestamp, Video

CONTENT_TYPE = "application/cloudevents+json"
DATA_SCHEMA = "urn:reelbus:schema:video.v1"

LARGEST = 64 * 1024 - 1
"""Bytes of an event: what every CloudEvents intermediary must forward."""


class Naming:
    """How this process names itself in events; set once, before it makes any."""

    source = "/reelbus"


def _nothing() -> None:
    return None


def _is_none(value: object) -> bool:
    return value is None


class Event(Document):
    """What subscribers receive: `data` is the video as the API gave it at that moment."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = Field(
        default_factory=lambda: Naming.source,
        description="Who announces: `REELBUS_SOURCE` of the service.",
        json_schema_extra={"format": "uri-reference", "examples": ["/reelbus"]},
    )
    type: EventType
    subject: str
    time: Timestamp
    datacontenttype: Literal["application/json"] = "application/json"
    # Kept events of an earlier build name it by a path.
    dataschema: Annotated[str, WithJsonSchema({"const": DATA_SCHEMA, "type": "string"})] = DATA_SCHEMA
    traceparent: Annotated[
        str | None,
        WithJsonSchema({"type": "string", "description": "The trace of the request (W3C Trace Context)."}),
    ] = Field(default_factory=_nothing, exclude_if=_is_none)
    tracestate: Annotated[
        str | None,
        WithJsonSchema({"type": "string", "description": "What tracing systems add to it (W3C Trace Context)."}),
    ] = Field(default_factory=_nothing, exclude_if=_is_none)
    data: Video

    def written(self) -> str:
        """Write the document in at most `LARGEST` bytes, with fewer addresses of results where it must be."""
        text = self.model_dump_json()
        if len(text.encode()) <= LARGEST:
            return text
        return self.model_copy(update={"data": _shortened(self.data)}).model_dump_json()


class VideoEvents(Document):
    """A video's events, oldest first."""

    items: list[Event]


def headers(event_type: str, key: str, source: str) -> dict[str, str]:
    """Name the AMQP headers that all events of a type and a routing key have, for filters of streams and exchanges."""
    return {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_source": source,
        "cloudEvents_type": event_type,
        "provider": key.rpartition(".")[2],
    }


def _shortened(video: Video) -> Video:
    """Keep one address of a result and the beginning of a message; what callers sent has a bound of its own."""
    attempts = [
        attempt.model_copy(update={"output_urls": attempt.output_urls[:1], "error": _brief(attempt.error)})
        for attempt in video.attempts
    ]
    changes = {
        "output_urls": video.output_urls[:1],
        "kept_urls": video.kept_urls[:1],
        "error": _brief(video.error),
        "attempts": attempts,
    }
    return video.model_copy(update=changes)


def _brief(error: Failure | None) -> Failure | None:
    return None if error is None else error.model_copy(update={"message": error.message[:200]})


def routing_key(event_type: EventType, provider: str | None) -> str:
    """Name the routing key of an event: its type and its provider, `none` where no provider was chosen."""
    return f"{event_type}.{provider or 'none'}"
