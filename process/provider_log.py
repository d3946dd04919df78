"""Log what a provider is like when that changes: a refused key is an error once, not a line for each request."""

from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class Answering(StrEnum):
    """What a provider's newest answer shows."""

    WELL = "well"
    UNAVAILABLE = "unavailable"
    UNAUTHORIZED = "unauthorized"
    OUT_OF_CREDITS = "out of credits"


class ProviderLog:
    """Remembers how each provider answered last."""

    def __init__(self) -> None:
        self._last: dict[str, Answering] = {}

    def note(self, provider: str, answering: Answering, reason: str = "") -> None:
        """Write a line if a provider answers otherwise than before; that it answers well at first goes unsaid."""
        before = self._last.get(provider, Answering.WELL)
        self._last[provider] = answering
        if answering is before:
            return
        match answering:
            case Answering.WELL:
                log.info("provider answers again", provider=provider, after=before)
            case Answering.UNAVAILABLE:
                log.warning("provider unavailable", provider=provider, reason=reason)
            case Answering.OUT_OF_CREDITS:
                log.error("provider finds no credits", provider=provider, reason=reason)
            case Answering.UNAUTHORIZED:
                log.error("provider refuses our credentials", provider=provider, reason=reason)
