"""What a provider's answer means to us, with everything of its wire left behind.

A submission ends in one of four ways, and only the difference between "certainly not" and "nobody knows"
decides whether it may be sent again. A check ends in one of six.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import ClassVar

from schemas.names import ErrorCode, RefundStatus
from schemas.video import Refund


@dataclass(frozen=True, slots=True)
class Handle:
    """A provider's name for a job, and whatever else it gave to ask about the job by: nobody else reads `details`."""

    id: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Working:
    """Not finished yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Finished; the video is at these addresses, each of them usable."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Finished; the provider says that there is no video.

    `refund` is what its answer tells of this job's price, and `evidence` how; None leaves it to its record.
    """

    message: str
    code: ErrorCode = ErrorCode.GENERATION_FAILED
    refund: Refund | None = None
    evidence: str = ""
    cancelled: bool = False
    """Whether it ended because somebody asked for that."""


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
    no job (`provider_job_id` None). `details` are those of the job's `Handle`.
    """

    label: ClassVar = "accepted"
    provider_job_id: str | None
    remaining: int | None = None
    finished: Ready | Failed | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotAcceptedYet:
    """The provider certainly did not take the job, and may take it later.

    `throttled` says that we ask too often or have too many jobs there: a limit, which is no failure of the job.
    """

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


class Signature(Enum):
    """What became of a webhook's signature."""

    GOOD = auto()
    """Signed by the provider, fresh, and for our account."""
    MISSING = auto()
    WRONG = auto()
    STALE = auto()
    FOREIGN = auto()
    """Signed by the provider, for somebody else's account."""
    UNCHECKED = auto()
    """What it would be checked by could not be had."""


@dataclass(frozen=True, slots=True)
class WebhookReading:
    """What a delivery says. With a signature that is not GOOD it is a wake-up, and a claim at most.

    `job` is the job that it names; `report` what it says of that job, where its body is a whole report.
    """

    signature: Signature
    job: Handle | None = None
    report: Report | None = None

    @property
    def proves(self) -> bool:
        """Whether it proves that the provider took the job that it names."""
        return self.signature is Signature.GOOD and self.job is not None


_NOBODY_KNOWS = Refund(status=RefundStatus.UNKNOWN, credits=None)


class CancelResult(Enum):
    """What came of asking a provider to stop a job."""

    DONE = auto()
    """It will make no video."""
    WISHED = auto()
    """It heard, and may finish all the same."""
    TOO_LATE = auto()
    """It has finished already."""
    UNKNOWN = auto()
    """No readable answer came, or it does not know the job."""


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What a provider said to a cancellation, and what the job costs if it ends so."""

    result: CancelResult
    message: str
    refund: Refund = _NOBODY_KNOWS


@dataclass(frozen=True, slots=True)
class Found:
    """The provider took the lost submission: this is its job."""

    job: Handle
    report: Report = field(default_factory=Working)


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider knows no such submission. Whether that proves anything, its record's `lookup` says."""

    message: str


LookupAnswer = Found | NotFound | Unavailable
"""What asking for a lost submission can come to."""
