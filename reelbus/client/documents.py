"""The documents of the service as a client sees them: dictionaries, so that one from a newer service still fits."""

from typing import Any, NotRequired, TypedDict


class Failure(TypedDict):
    """Why something failed: a stable code to branch on, and a sentence for people."""

    code: str
    message: str


class Refund(TypedDict):
    """What became of the credit; `credits` is None where nobody can know."""

    status: str
    credits: int | None


class Attempt(TypedDict):
    """One provider's attempt at a video. Times are RFC 3339 in UTC."""

    provider: str
    provider_job_id: str | None
    status: str
    motion_form: NotRequired[str | None]
    submitted_at: str | None
    finished_at: str | None
    detected_by: str | None
    output_urls: list[str]
    error: Failure | None
    refund: Refund | None


class Media(TypedDict):
    """What was found when a result's first address was asked; `duration` in seconds."""

    content_type: str | None
    bytes: int | None
    duration: float | None
    width: int | None
    height: int | None
    checked_at: str


class CancelWish(TypedDict):
    """A caller's wish to stop a video."""

    outcome: str
    wished_at: str


class Video(TypedDict):
    """A picture on its way to becoming a video; `status` ends as `ready` or `failed`."""

    id: str
    status: str
    motion: str
    orientation: str
    prompt: str | None
    metadata: dict[str, str]
    provider: str | None
    provider_job_id: str | None
    detected_by: str | None
    input_image: str
    output_urls: list[str]
    expires_at: NotRequired[str | None]
    media: NotRequired[Media | None]
    kept_urls: NotRequired[list[str]]
    cancellation: NotRequired[CancelWish | None]
    error: Failure | None
    refund: Refund | None
    retry_of: str | None
    attempts: list[Attempt]
    created_at: str
    updated_at: str
    completed_at: str | None


class Cancellation(TypedDict):
    """How far a video is stopped: `outcome` is `done`, `wished` or `too_late`; and what becomes of its credit."""

    id: str
    outcome: str
    message: str
    refund: Refund | None
    status: str


class Page(TypedDict):
    """Videos, newest first; `next_cursor` is None on the last page."""

    items: list[Video]
    next_cursor: str | None


class BatchResult(TypedDict):
    """What became of one request of a batch: the status that it would have had alone, its video or its problem."""

    status: int
    video: Video | None
    problem: dict[str, Any] | None


class Event(TypedDict):
    """A CloudEvents 1.0 envelope around the video as it was then. Drop events whose `id` you have handled."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    dataschema: str
    data: Video
    traceparent: NotRequired[str]
    tracestate: NotRequired[str]
    reelbustest: NotRequired[bool]
