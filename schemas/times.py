"""Unix seconds inside, RFC 3339 text outside."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=64)
def rfc3339(seconds: float) -> str:
    """Write Unix seconds as RFC 3339 in UTC with microseconds, as in `2026-01-31T12:00:00.000000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def optional_rfc3339(seconds: float | None) -> str | None:
    """Write Unix seconds as RFC 3339, or None as None."""
    return None if seconds is None else rfc3339(seconds)


def clock(at: float) -> str:
    """Write a Unix time as people name a moment of the day."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"
