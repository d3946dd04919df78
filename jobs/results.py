"""The proof of a result: its address was asked before the video is announced as ready.

A poller asks, beside its checks and never inside a transaction. An attempt whose provider reported its video keeps the
addresses until they are proven; a process that dies meanwhile leaves an attempt that is simply checked again.
"""

from dataclasses import dataclass

from providers.reports import Ready, Report
from schemas.video import Media
from store.attempts import AttemptRow, AttemptState


@dataclass(frozen=True, slots=True)
class Proven:
    """The video is at these addresses, for they were asked; `kept` are those of our own copies of it."""

    urls: tuple[str, ...]
    media: Media
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unproven:
    """The provider says that the video is at these addresses, and this time they gave none: ask again."""

    urls: tuple[str, ...]
    message: str


UNPROVEN = "the result's address"
"""The doubt of an attempt whose video is finished and whose addresses gave none yet, whatever was amiss with them."""

Finding = Report | Proven | Unproven
"""What a look can come to, the proof of a result included."""


def claimed_addresses(attempt: AttemptRow) -> Ready | None:
    """Give the addresses of an attempt that wait for their proof, where its provider named no job to ask about."""
    if attempt.state is AttemptState.GENERATING and attempt.provider_job_id is None and attempt.output_urls:
        return Ready(attempt.output_urls)
    return None
