"""The video as the API and every event show it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from schemas.names import (
    PROVIDERS,
    AttemptStatus,
    CancelOutcome,
    DetectedBy,
    ErrorCode,
    Motion,
    MotionForm,
    Orientation,
    Provider,
    RefundStatus,
    VideoStatus,
)

OpenProvider = Annotated[
    Provider,
    WithJsonSchema(
        {
            "type": "string",
            "description": "Who makes it. The list is open: stand a name that you do not know.",
            "examples": [*PROVIDERS],
        }
    ),
]
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-31T12:00:00.000000Z"])]
"""RFC 3339 in UTC."""


class Document(BaseModel):
    """Base of everything we publish: immutable, and closed to fields that are not ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Failure(Document):
    """Why something failed: a stable code to branch on, and a sentence for people."""

    code: ErrorCode
    message: str


class Refund(Document):
    """What became of the credit: `credits` is null where nobody can know."""

    status: RefundStatus
    credits: int | None


class Media(Document):
    """What was found when a result's first address was asked, before the video was announced as ready.

    `duration`, `width` and `height` are null in this release: the file is not read as a video.
    """

    content_type: str | None
    bytes: int | None
    duration: float | None = Field(default=None, description="Seconds.")
    width: int | None = None
    height: int | None = None
    checked_at: Timestamp


class Attempt(Document):
    """One provider's attempt at a video, however many tries its submission took."""

    provider: OpenProvider
    provider_job_id: str | None
    status: AttemptStatus
    motion_form: Annotated[
        MotionForm | None,
        Field(
            description="How the provider was asked for the motion: by an option of its own, by one that comes near"
            " (approximate), or by a sentence in its prompt, which promises nothing."
        ),
    ] = None
    submitted_at: Timestamp | None
    finished_at: Timestamp | None
    detected_by: DetectedBy | None
    output_urls: list[str]
    error: Failure | None
    refund: Refund | None


class CancelWish(Document):
    """A caller's wish to stop the video: `wished` until its provider or its end says more."""

    outcome: CancelOutcome
    wished_at: Timestamp


class Video(Document):
    """A picture on its way to becoming a video. Provider fields are those of the newest attempt."""

    id: str
    status: VideoStatus
    motion: Motion
    orientation: Orientation
    prompt: str | None
    metadata: dict[str, str]
    retry_of: str | None = None
    provider: OpenProvider | None
    provider_job_id: str | None
    detected_by: DetectedBy | None
    input_image: str
    output_urls: list[str]
    expires_at: Annotated[
        Timestamp | None,
        Field(description="Until when the addresses of the result are good; null where that is not documented."),
    ] = None
    media: Annotated[Media | None, Field(description="Null where nobody asked the address of the result.")] = None
    kept_urls: Annotated[
        list[str], Field(description="Where copies of the result are kept, in the order of `output_urls`.")
    ] = []
    cancellation: Annotated[CancelWish | None, Field(description="Null where nobody wished to stop it.")] = None
    error: Failure | None
    refund: Refund | None
    attempts: list[Attempt]
    created_at: Timestamp
    updated_at: Timestamp
    completed_at: Timestamp | None


class VideoPage(Document):
    """Videos, newest first; `next_cursor` is null on the last page."""

    items: list[Video]
    next_cursor: str | None


class ProviderCredits(Document):
    """One provider's credits: what it last reported, and what our own ledger says.

    `unexplained` is what came (positive) or went (negative) between the first and the last report beyond our
    own spending and refunds; `unknown` counts attempts whose credit nobody can account for.
    """

    remaining: int | None
    remaining_at: Timestamp | None
    spent: int
    refunded: int
    unknown: int
    unexplained: int


class TimelineEntry(Document):
    """One thing that happened to a video, for support."""

    at: Timestamp
    what: str
    attempt: int | None
    detail: str | None


class Timeline(Document):
    """Everything that happened to a video, oldest first."""

    items: list[TimelineEntry]
    next_check_at: Timestamp | None = None
    """When its provider is asked next; null where it is not in the making."""
