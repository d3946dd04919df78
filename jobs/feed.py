"""Read the events back, for those who listen over HTTP and for those who watch over the service."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.event import Event, VideoEvents
from schemas.names import VideoStatus
from store import outbox, videos
from store.outbox import Backlog, OutboxEvent
from store.transaction import Tx

_NEWEST = 200
"""How many of the newest events are looked through for a gap, where a listener begins at the end."""


def after(tx: Tx, seq: int, *, limit: int = 200) -> list[OutboxEvent]:
    """Read the events that follow a place in the feed, oldest first, up to where one may still be missing.

    Where many write at once, an event may be committed after another one that was numbered later.
    """
    found = outbox.after(tx, seq=seq, limit=limit)
    return found[: _settled(tx, found, seq)]


def place_of(tx: Tx, event_id: str | None) -> int:
    """Give the place of an event in the feed, or the end for None or an event that we do not know."""
    known = outbox.seq_of(tx, event_id) if event_id else None
    if known is not None:
        return known
    end = outbox.last_seq(tx)
    if math.isinf(tx.gap_horizon):
        return end
    newest = outbox.after(tx, seq=max(0, end - _NEWEST), limit=_NEWEST)
    settled = _settled(tx, newest, newest[0].seq - 1 if newest else 0)
    return newest[settled - 1].seq if settled else end


def _settled(tx: Tx, events: Sequence[OutboxEvent], seq: int) -> int:
    """Count the events that follow a place without a gap that may still be filled."""
    for count, event in enumerate(events):
        if event.seq != seq + 1 and event.created_at > tx.gap_horizon:
            return count
        seq = event.seq
    return len(events)


def of_video(tx: Tx, video_id: str) -> VideoEvents | None:
    """Read a video's events, or None if there is no video of this id."""
    if videos.get(tx, video_id) is None:
        return None
    return VideoEvents(items=[Event.model_validate_json(event.body) for event in outbox.of_video(tx, video_id)])


def redeliver(tx: Tx, video_id: str) -> str | None:
    """Publish a video's terminal event again; give its id, or None where there is none."""
    return outbox.publish_again(tx, video_id)


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits: unpublished events, and unfinished videos by state."""

    backlog: Backlog
    open_videos: dict[VideoStatus, int]


def overview(tx: Tx) -> Overview:
    """Measure what waits."""
    return Overview(outbox.backlog(tx), videos.count_by_state(tx))
