"""An HTTP response as bytes, and what its head says."""

import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_RESPONSE_BYTES = 1024 * 1024
MAX_RETRY_AFTER_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `body` is None where it was cut off, too long or compressed against our wish."""

    status: int
    body: bytes | None
    retry_after: float | None = None
    content_type: str | None = None
    clock_ahead: float | None = None
    """Seconds by which the server's clock is ahead of ours, by its `Date`; that counts whole seconds."""

    @property
    def is_success(self) -> bool:
        """Whether its status is one of 200 to 299."""
        return 200 <= self.status < 300


def seconds_ahead(date: str | None, now: float) -> float | None:
    """Read a `Date` header as seconds ahead of `now`; None for nonsense."""
    try:
        moment = parsedate_to_datetime(date or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def seconds_to_wait(value: str | None, now: float) -> float | None:
    """Read a `Retry-After` header, seconds or a date, as seconds from `now`: at most 300, nonsense None."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text[:20]), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
        # A date without a zone is Greenwich's: RFC 9110 knows no other.
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(wait, MAX_RETRY_AFTER_SECONDS) if wait >= 0 else None
