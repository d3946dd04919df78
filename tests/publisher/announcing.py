"""Events in an outbox, as the state machine would put them there."""

import time
from collections.abc import Iterable
from uuid import NAMESPACE_URL, uuid4, uuid5

from schemas.event import Event, routing_key
from schemas.names import EventType, Motion, Orientation, VideoStatus
from schemas.times import rfc3339
from schemas.video import Video
from store import outbox
from store.database import Store
from store.transaction import Tx


def event_id(video_id: str, event_type: EventType) -> str:
    """Derive an event's id, the same one each time."""
    return str(uuid5(NAMESPACE_URL, f"{video_id}/{event_type}"))


def document(video_id: str, event_type: EventType, *, now: float) -> str:
    """Write the body of an event."""
    video = Video(
        id=video_id,
        status=VideoStatus.READY,
        motion=Motion.ZOOM_IN,
        orientation=Orientation.LANDSCAPE,
        prompt=None,
        metadata={"order": "Ærø 17"},
        retry_of=None,
        provider=None,
        provider_job_id=None,
        detected_by=None,
        input_image="https://images.example/room.jpg",
        output_urls=["https://videos.example/clip.mp4"],
        error=None,
        refund=None,
        attempts=[],
        created_at=rfc3339(now),
        updated_at=rfc3339(now),
        completed_at=rfc3339(now),
    )
    event = Event(
        id=event_id(video_id, event_type),
        type=event_type,
        subject=video_id,
        time=rfc3339(now),
        data=video,
    )
    return event.model_dump_json()


def _add(tx: Tx, video_id: str, event_type: EventType, provider: str, now: float) -> None:
    outbox.add(
        tx,
        event_id=event_id(video_id, event_type),
        video_id=video_id,
        event_type=event_type,
        routing_key=routing_key(event_type, provider),
        body=document(video_id, event_type, now=now),
        now=now,
    )


async def announce(
    store: Store, event_type: EventType, *, video_id: str | None = None, provider: str = "iacrea"
) -> str:
    """Put one event into the outbox and give its id."""
    video_id = video_id or str(uuid4())
    await store.write(_add, video_id, event_type, provider, time.time())
    return event_id(video_id, event_type)


async def announce_many(store: Store, count: int, *, provider: str = "iacrea") -> list[str]:
    """Put the ready events of so many videos into the outbox, and give their ids in order."""
    videos = [str(uuid4()) for _ in range(count)]

    def add_all(tx: Tx, video_ids: Iterable[str]) -> None:
        for video_id in video_ids:
            _add(tx, video_id, EventType.READY, provider, time.time())

    await store.write(add_all, videos)
    return [event_id(video_id, EventType.READY) for video_id in videos]


async def unpublished(store: Store) -> int:
    """Count the events that no broker has confirmed."""
    return (await store.read(outbox.backlog)).count
