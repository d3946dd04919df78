"""Count and log the events that the broker confirmed."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from pydantic_core import from_json

from process import metrics
from schemas.names import EventType
from store.outbox import OutboxEvent

_TERMINAL = {str(EventType.READY): "ready", str(EventType.FAILED): "failed"}

logger = structlog.get_logger(__name__)


def tell(events: Sequence[OutboxEvent], *, now: float) -> None:
    """Note each event, and of a terminal one how long its video took. Raises nothing: the events are published."""
    for event in events:
        metrics.events_published.labels(event.type).inc()
        metrics.event_publish_seconds.observe(max(0.0, now - event.created_at))
        logger.info("event published", video=event.video_id, type=event.type, event_id=event.event_id)
        outcome = _TERMINAL.get(event.type)
        if outcome is not None:
            with suppress(ValueError, LookupError, TypeError):  # a body that another release wrote
                _finished(outcome, from_json(event.body)["data"], now)


def _finished(outcome: str, video: dict[str, Any], now: float) -> None:
    accepted_at = datetime.fromisoformat(video["created_at"]).timestamp()
    metrics.videos_finished.labels(outcome, video["provider"] or "none").inc()
    metrics.video_seconds.labels(outcome).observe(max(0.0, now - accepted_at))
