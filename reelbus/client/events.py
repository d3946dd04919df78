"""Read events: from the body of a message on RabbitMQ, and from Server-Sent Events."""

import json
from collections.abc import Iterable, Iterator
from typing import cast

from reelbus.client.documents import Event
from reelbus.client.errors import NoEvent


def read_event(body: bytes | str) -> Event:
    """Read an event from a message's body. Raises `NoEvent` for what is none: that goes to a dead-letter queue."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise NoEvent(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("specversion") != "1.0":
        raise NoEvent("the body is no CloudEvents 1.0 event")
    missing = [name for name in ("id", "type", "subject", "data") if name not in document]
    if missing:
        raise NoEvent(f"the event has no {', '.join(missing)}")
    return cast("Event", document)


def from_stream(lines: Iterable[str]) -> Iterator[Event]:
    """Read the events of a stream of Server-Sent Events, each of which the service writes as one `data:` line."""
    for line in lines:
        if line.startswith("data:"):
            yield read_event(line.removeprefix("data:"))
