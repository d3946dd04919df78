"""The event: a CloudEvents 1.0 envelope in structured JSON around a video.

Envelope attributes are those of the CloudEvents specification, version 1.0.2, with the JSON event format.
"""

from typing import Literal

from schemas.names import EventType
from schemas.video import Document, Timestamp, Video

CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/reelbus"
DATA_SCHEMA = "/schemas/video.v1.json"


class Event(Document):
    """What subscribers receive: `data` is the video as the API gave it at that moment."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: Literal["/reelbus"] = "/reelbus"
    type: EventType
    subject: str
    time: Timestamp
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Literal["/schemas/video.v1.json"] = "/schemas/video.v1.json"
    data: Video


class VideoEvents(Document):
    """A video's events, oldest first."""

    items: list[Event]


def routing_key(event_type: EventType, provider: str | None) -> str:
    """Name the routing key of an event: its type and its provider, `none` where no provider was chosen."""
    return f"{event_type}.{provider or 'none'}"
