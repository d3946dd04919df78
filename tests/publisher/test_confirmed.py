"""What is told of confirmed events never keeps them from being marked: whatever they hold, they are published."""

import json

import pytest

from process import metrics
from publisher import confirmed
from store.outbox import OutboxEvent


def _event(event_type: str, body: str) -> OutboxEvent:
    return OutboxEvent(1, "id", "video", event_type, f"{event_type}.iacrea", body, created_at=100.0)


def _finished() -> float:
    labels = {"outcome": "ready", "provider": "iacrea"}
    return metrics.REGISTRY.get_sample_value("reelbus_videos_finished_total", labels) or 0.0


def test_a_ready_video_is_counted_with_the_time_that_it_took() -> None:
    before = _finished()
    data = {"created_at": "1970-01-01T00:01:30Z", "provider": "iacrea"}
    confirmed.log_published([_event("video.ready", json.dumps({"data": data}))], exchange="video.events", now=101.0)
    assert _finished() == before + 1


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"data": null}', '{"data": {"created_at": 1, "provider": null}}'])
def test_a_body_of_another_release_is_no_reason_to_fail(body: str) -> None:
    before = _finished()
    confirmed.log_published(
        [_event("video.ready", body), _event("video.invented", body)], exchange="video.events", now=101.0
    )
    assert _finished() == before
