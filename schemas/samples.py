"""Realistic events for trying subscribers out: every one fits the published schema and is marked as a test."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from schemas.event import Event
from schemas.names import EventType
from schemas.times import rfc3339
from schemas.video import Attempt, Failure, Refund, Video

TEST_MARK = "reelbustest"
"""The CloudEvents extension attribute that says: nothing really happened."""

_CLIP = "https://videos.example.com/clips/test-0001.mp4"


class WrongChange(Exception):
    """A change that was asked for cannot be made; the message says how to write it."""


def sample_event(kind: str, *, event_id: str | None = None, changes: Iterable[tuple[str, Any]] = ()) -> dict[str, Any]:
    """Make an event of a kind (`ready`, `failed`, `late`, `fallback`, `submitted`), then change some of its fields.

    A change is a path from the event's root, as `data.metadata.listing`, and the value. Raises `WrongChange` for a path
    that leads nowhere or a value that the schema does not allow, ValueError for another kind.
    """
    event_type = EventType(f"video.{kind}")
    video = _video(event_type, str(uuid4()))
    event = Event(
        id=event_id or str(uuid4()), type=event_type, subject=video.id, time=video.updated_at, data=video
    ).model_dump(mode="json")
    for path, value in changes:
        _change(event, path.split("."), value, path)
    try:
        Event.model_validate(event)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise WrongChange(f"{place}: {fault['msg'].lower()}; the published schema does not allow it") from None
    return {**event, TEST_MARK: True}


def _change(target: Any, path: list[str], value: object, whole: str) -> None:  # noqa: ANN401 - a JSON document
    *parents, last = path
    for name in parents:
        target = target.get(name) if isinstance(target, dict) else None
    if not isinstance(target, dict) or not last or (last not in target and parents[-1:] != ["metadata"]):
        raise WrongChange(f"{whole} names no field of the event; write it as data.metadata.listing=42")
    target[last] = value


def _video(event_type: EventType, video_id: str) -> Video:
    end = datetime.now(UTC)
    began, sent = end - timedelta(seconds=95), end - timedelta(seconds=94)
    attempt = _ATTEMPTS[event_type](rfc3339(sent.timestamp()), rfc3339(end.timestamp()))
    finished = event_type in {EventType.READY, EventType.FAILED, EventType.LATE}
    failed = event_type in {EventType.FAILED, EventType.LATE}
    return Video.model_validate(
        {
            "id": video_id,
            "status": _STATUS[event_type],
            "motion": "zoom_in",
            "orientation": "landscape",
            "prompt": None,
            "metadata": {"listing": "42"},
            "provider": attempt.provider,
            "provider_job_id": attempt.provider_job_id,
            "detected_by": attempt.detected_by,
            "input_image": "https://pictures.example.com/house.jpg",
            "output_urls": [_CLIP] if event_type is EventType.READY else [],
            "error": attempt.error if failed else None,
            "refund": attempt.refund,
            "attempts": [attempt],
            "created_at": rfc3339(began.timestamp()),
            "updated_at": rfc3339(end.timestamp()),
            "completed_at": rfc3339(end.timestamp()) if finished else None,
        }
    )


_STATUS = {
    EventType.SUBMITTED: "generating",
    EventType.FALLBACK: "submitting",
    EventType.READY: "ready",
    EventType.FAILED: "failed",
    EventType.LATE: "failed",
}


def _attempt(sent: str, end: str | None, **fields: object) -> Attempt:
    return Attempt.model_validate(
        {
            "provider": "iacrea",
            "provider_job_id": "test-0001",
            "status": "generating",
            "motion_form": "option",
            "submitted_at": sent,
            "finished_at": end,
            "detected_by": None,
            "output_urls": [],
            "error": None,
            "refund": None,
            **fields,
        }
    )


def _failed(sent: str, end: str, **fields: object) -> Attempt:
    failure = Failure.model_validate({"code": "generation_failed", "message": "IACrea reports FAILED"})
    refund = Refund.model_validate({"status": "refunded", "credits": 1})
    return _attempt(
        sent, end, **{"status": "failed", "detected_by": "poll", "error": failure, "refund": refund, **fields}
    )


def _late(sent: str, end: str) -> Attempt:
    failure = Failure.model_validate({"code": "timed_out", "message": "no result within 900 s"})
    refund = Refund.model_validate({"status": "unknown", "credits": None})
    return _failed(sent, end, detected_by=None, error=failure, refund=refund, output_urls=[_CLIP])


_ATTEMPTS = {
    EventType.SUBMITTED: lambda sent, _: _attempt(sent, None),
    EventType.READY: lambda sent, end: _attempt(
        sent, end, status="succeeded", detected_by="webhook", output_urls=[_CLIP]
    ),
    EventType.FALLBACK: _failed,
    EventType.FAILED: _failed,
    EventType.LATE: _late,
}
