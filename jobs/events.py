"""Announce what happened to a video: one finished document in the outbox, in the transaction that made it true."""

from collections.abc import Callable

from uuid_utils import UUID, uuid5

from jobs import view
from schemas.event import Event, routing_key
from schemas.names import TERMINAL_EVENTS, EventType
from schemas.times import rfc3339
from schemas.trace import Trace
from schemas.video import Video
from store import outbox
from store.transaction import Tx

_NAMESPACE = UUID("6d1f5c1e-5b0a-4a53-9d0e-2f6a6b2a7c11")


def event_id(video_id: str, event_type: EventType, attempt: int) -> str:
    """Derive the id that every delivery of an event carries.

    Both terminal types share one id of the video, so that there can only ever be one of them.
    """
    name = "terminal" if event_type in TERMINAL_EVENTS else f"{event_type}:{attempt}"
    return str(uuid5(_NAMESPACE, f"{video_id}:{name}"))


def announce(
    tx: Tx,
    video_id: str,
    event_type: EventType,
    *,
    attempt: int,
    now: float,
    asked: Callable[[], tuple[Video, Trace] | None] | None = None,
) -> None:
    """Put an event with the video as it is at this point of the transaction into the outbox.

    `attempt` is the number of the attempt that it tells of; `asked` reads the video where it was asked for with the
    last change. An event that is there already stays as it is. Raises LookupError if there is no such video.
    """
    found = (asked or view.ask_traced(tx, video_id))()
    if found is None:
        raise LookupError(f"no video {video_id}")
    video, trace = found
    event = Event(
        id=event_id(video_id, event_type, attempt),
        type=event_type,
        subject=video_id,
        time=rfc3339(now),
        traceparent=trace.traceparent,
        tracestate=trace.tracestate,
        data=video,
    )
    outbox.add(
        tx,
        event_id=event.id,
        video_id=video_id,
        event_type=event_type,
        routing_key=routing_key(event_type, video.provider),
        body=event.written(),
        now=now,
    )
