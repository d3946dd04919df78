"""What a provider's answer means to us, with everything of its wire left behind.

A submission ends in one of four ways, and only the difference between "certainly not" and "nobody knows"
decides whether it may be sent again. A check ends in one of six.
"""

from dataclasses import dataclass
from typing import ClassVar

from schemas.names import ErrorCode


@dataclass(frozen=True, slots=True)
class Working:
    """Not finished yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Finished; the video is at these addresses, each of them usable."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Finished; the provider says that there is no video."""

    message: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An answer that would end the job if it were believed, but that may yet change: ask again.

    `code` is how the attempt fails if the provider keeps answering so. An answer that cannot change
    (success with nothing but unusable addresses) is `final`.
    """

    code: ErrorCode
    message: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class UnknownJob:
    """The provider does not know this job: not yet, or no more."""

    message: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No usable answer this time. `retry_after` is in seconds where the provider named a wait.

    `unauthorized` says that our credentials were refused (401 or 403); `throttled` that we ask too often.
    """

    message: str
    retry_after: float | None = None
    unauthorized: bool = False
    throttled: bool = False


Report = Working | Ready | Failed | Doubtful | UnknownJob | Unavailable
"""What a check can say."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the job. `remaining` is its own count of credits left, where it told.

    A provider that answered with the finished video at once gives it in `finished`, and may then have named
    no job (`provider_job_id` None).
    """

    label: ClassVar = "accepted"
    provider_job_id: str | None
    remaining: int | None = None
    finished: Ready | Failed | None = None


@dataclass(frozen=True, slots=True)
class NotAcceptedYet:
    """The provider certainly did not take the job, and may take it later."""

    label: ClassVar = "not_accepted"
    message: str
    retry_after: float | None = None
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider certainly did not take the job, and never will. `unauthorized` as in `Unavailable`."""

    label: ClassVar = "refused"
    code: ErrorCode
    message: str
    unauthorized: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Nobody knows whether the provider took the job: it must not be sent again."""

    label: ClassVar = "unknown"
    message: str


SubmissionOutcome = Accepted | NotAcceptedYet | Refused | OutcomeUnknown
"""What a submission can come to; metrics and logs call it by its `label`."""


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """What an unsigned webhook body claims: identifiers it names, and addresses if it says success.

    Never evidence by itself: an identifier counts once the provider's own answer confirms it.
    """

    provider_job_ids: tuple[str, ...]
    succeeded_urls: tuple[str, ...]
