"""Count and log the events that the broker confirmed."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from pydantic_core import from_json

from process import metrics, tracing
from process.tracing import SpanKind
from schemas.names import EventType
from schemas.trace import Trace
from store.outbox import OutboxEvent

_TERMINAL = {str(EventType.READY): "ready", str(EventType.FAILED): "failed"}

logger = structlog.get_logger(__name__)


def log_published(events: Sequence[OutboxEvent], *, exchange: str, now: float) -> None:
    """Note each event, and of a terminal one how long its video took. Raises nothing: the events are published."""
    for event_type, count in Counter(event.type for event in events).items():
        metrics.events_published.labels(event_type).inc(count)
    for event in events:
        metrics.event_publish_seconds.observe(max(0.0, now - event.created_at))
        named = {"video": event.video_id, "type": event.type, "event_id": event.event_id}
        logger.info("event published", **named, **tracing.log_fields(Trace(event.traceparent)))
        if tracing.is_on():
            _trace(event, exchange, now)
        outcome = _TERMINAL.get(event.type)
        if outcome is not None:
            with suppress(ValueError, LookupError, TypeError):  # a body that another release wrote
                _finished(outcome, from_json(event.body)["data"], now)


def _trace(event: OutboxEvent, exchange: str, now: float) -> None:
    tracing.record(
        f"send {exchange}",
        Trace(event.traceparent),
        SpanKind.PRODUCER,
        began=event.created_at,
        ended=now,
        messaging_system="rabbitmq",
        messaging_operation_type="send",
        messaging_destination_name=exchange,
        messaging_message_id=event.event_id,
        reelbus_video_id=event.video_id,
        reelbus_event_type=event.type,
    )


def _finished(outcome: str, video: dict[str, Any], now: float) -> None:
    accepted_at = datetime.fromisoformat(video["created_at"]).timestamp()
    metrics.videos_finished.labels(outcome, video["provider"] or "none").inc()
    metrics.video_seconds.labels(outcome).observe(max(0.0, now - accepted_at))
