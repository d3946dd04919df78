"""What every provider promises the rest of the service."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from providers.capabilities import Given
from providers.reports import CancelAnswer, Handle, LookupAnswer, Report, SubmissionOutcome, WebhookReading
from schemas.names import Motion, Orientation, Provider


@dataclass(frozen=True, slots=True)
class Order:
    """What to animate. A provider that wants an address gets `image_url`, one that wants bytes gets `image`.

    `image_url` is public; `image` is PNG or JPEG of at least 512 by 512 pixels and `content_type` says which.
    """

    motion: Motion
    orientation: Orientation
    prompt: str | None
    image_url: str | None
    image: bytes | None
    content_type: str | None
    webhook_url: str | None
    """None where the provider calls nobody back."""
    name: str = ""
    """Our own name for the submission, the same for each of its tries and for nothing else."""


@dataclass(frozen=True, slots=True)
class LostSubmission:
    """A submission whose answer was lost: what it can be found by. `sent_at` is in Unix seconds."""

    name: str
    """Our own name for it, as in its `Order`."""
    sent_at: float


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A delivery as it came; `headers` are those that the provider's record names, in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(repr=False)
    received_at: float
    """Unix seconds: a signature is fresh or stale by then, however late it is read."""


BeforeFirstByte = Callable[[], Awaitable[None]]
"""Awaited at the last instant at which nothing was sent. If it raises, not a byte leaves, and the exception
reaches the caller of `submit` unchanged."""


class NotOffered(Exception):
    """The provider's record does not offer this; nobody should have asked."""


class ProviderClient(Protocol):
    """The whole of what the rest of the service knows about a provider.

    A client that inherits from this offers only what its record claims: it writes `cancel`, `lookup` and
    `read_webhook` where the record says that the provider has them.
    """

    name: Provider
    wants_bytes: bool
    """Whether a submission carries the picture itself (True) or its address (False)."""

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Ask for a video. Never raises for what the provider or the network does."""

    async def check(self, job: Handle) -> Report:
        """Ask how a video is doing. Safe to repeat; never raises for what the provider does."""

    async def cancel(self, job: Handle) -> CancelAnswer:
        """Ask to stop a job, where the record's `cancel` is not NONE. Never raises for what the provider does.

        Never called for a job that is known to be finished: some providers delete its video. Asking twice is safe.
        """
        raise NotOffered(f"{self.name} cannot be asked to cancel job {job.id}")

    async def lookup(self, lost: LostSubmission) -> LookupAnswer:
        """Ask for a lost submission, where the record's `lookup` is BY_NAME or SEARCH. Safe to repeat; never raises."""
        raise NotOffered(f"{self.name} cannot be asked for submission {lost.name}")

    async def read_webhook(self, message: WebhookMessage) -> WebhookReading:
        """Say what a delivery is worth, where the record's `webhook` is SIGNED. Never raises."""
        raise NotOffered(f"{self.name} signs no webhooks ({len(message.body)} bytes)")

    async def verify(self) -> str:
        """Ask something free that needs the credentials; describe the account or raise `VerificationFailed`."""

    async def close(self) -> None:
        """Close every connection."""


BuildClient = Callable[[Given, Callable[[str], None]], ProviderClient]
"""Builds a client from what the operator gave, and from who is told each state of unknown meaning."""


class VerificationFailed(Exception):
    """The provider could not be reached, or refused our credentials; the message says which and the mend."""
