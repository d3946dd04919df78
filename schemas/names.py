"""The vocabularies of the public contract: one enumeration each, and the open list of providers."""

from enum import StrEnum
from typing import NewType

Provider = NewType("Provider", str)
"""The name of an outside service that turns a picture into a video. The list is open: stand one you do not know."""

PROVIDERS: list[Provider] = [
    Provider("iacrea"),
    Provider("homedesigns"),
    Provider("fal"),
    Provider("kling"),
    Provider("replicate"),
    Provider("runway"),
]
"""The registry: a line for each provider, in the order of preference. `providers/NAME/` has all else about it."""

ALWAYS_SHOWN = frozenset({Provider("iacrea"), Provider("homedesigns")})
"""Those that `/v1/credits` and `/v1/status` have had from the first release on, so clients count on them."""

ProviderChoice = NewType("ProviderChoice", str)
"""What a caller may ask for: one provider, or `AUTO`."""

AUTO = ProviderChoice("auto")
"""Whichever provider suits."""


class Motion(StrEnum):
    """How the camera moves over the picture."""

    ZOOM_IN = "zoom_in"
    ZOOM_OUT = "zoom_out"
    PAN_UP = "pan_up"
    PAN_DOWN = "pan_down"
    PAN_LEFT = "pan_left"
    PAN_RIGHT = "pan_right"
    PULLBACK = "pullback"
    ROTATE_CW = "rotate_cw"
    ROTATE_CCW = "rotate_ccw"
    LOOK_UP = "look_up"
    LOOK_DOWN = "look_down"
    AUTO = "auto"
    AUTO_REVERSE = "auto_reverse"


class MotionForm(StrEnum):
    """How a provider is asked for a motion: by an option of its own, by one that comes near, or by a prompt."""

    OPTION = "option"
    APPROXIMATE = "approximate"
    PROMPT = "prompt"


class Orientation(StrEnum):
    """The video's orientation."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"


class VideoStatus(StrEnum):
    """Where a video is in its life; `ready` and `failed` are final."""

    ACCEPTED = "accepted"
    SUBMITTING = "submitting"
    GENERATING = "generating"
    READY = "ready"
    FAILED = "failed"


class AttemptStatus(StrEnum):
    """Where one provider's attempt is, as callers see it."""

    SUBMITTING = "submitting"
    GENERATING = "generating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ErrorCode(StrEnum):
    """Why a video or an attempt failed."""

    IMAGE_REJECTED = "image_rejected"
    REQUEST_REJECTED = "request_rejected"
    AUTHENTICATION_FAILED = "authentication_failed"
    OUT_OF_CREDITS = "out_of_credits"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    SUBMISSION_UNKNOWN = "submission_unknown"
    GENERATION_FAILED = "generation_failed"
    RESULT_INVALID = "result_invalid"
    JOB_LOST = "job_lost"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


class RefundStatus(StrEnum):
    """What became of the credit of a failed attempt."""

    REFUNDED = "refunded"
    NOT_CHARGED = "not_charged"
    CHARGED = "charged"
    UNKNOWN = "unknown"


class CancelOutcome(StrEnum):
    """What came of the wish to stop a video."""

    DONE = "done"
    WISHED = "wished"
    TOO_LATE = "too_late"


class DetectedBy(StrEnum):
    """What prompted the look that found the end."""

    WEBHOOK = "webhook"
    POLL = "poll"


class EventType(StrEnum):
    """What an event tells; only `video.ready` and `video.failed` are terminal."""

    SUBMITTED = "video.submitted"
    FALLBACK = "video.fallback"
    READY = "video.ready"
    FAILED = "video.failed"
    LATE = "video.late"


EVENT_KINDS = tuple(event_type.removeprefix("video.") for event_type in EventType)
"""The types of events without what they share: `ready`, `failed` and so on."""

TERMINAL_EVENTS = frozenset({EventType.READY, EventType.FAILED})
FINAL_STATUSES = frozenset({VideoStatus.READY, VideoStatus.FAILED})
