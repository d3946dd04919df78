"""What every provider promises the rest of the service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from providers.capabilities import Given
from providers.reports import Report, SubmissionOutcome
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


BeforeFirstByte = Callable[[], Awaitable[None]]
"""Awaited at the last instant at which nothing was sent. If it raises, not a byte leaves, and the exception
reaches the caller of `submit` unchanged."""


class ProviderClient(Protocol):
    """The whole of what the rest of the service knows about a provider."""

    name: Provider
    wants_bytes: bool
    """Whether a submission carries the picture itself (True) or its address (False)."""

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Ask for a video. Never raises for what the provider or the network does."""

    async def check(self, provider_job_id: str) -> Report:
        """Ask how a video is doing. Safe to repeat; never raises for what the provider does."""

    async def verify(self) -> str:
        """Ask something free that needs the credentials; describe the account or raise `VerificationFailed`."""

    async def close(self) -> None:
        """Close every connection."""


BuildClient = Callable[[Given, Callable[[str], None]], ProviderClient]
"""Builds a client from what the operator gave, and from who is told each state of unknown meaning."""


class VerificationFailed(Exception):
    """The provider could not be reached, or refused our credentials; the message says which and the mend."""
