"""The log lines of a provider's circuit breaker: each change, and each probe."""

from typing import Protocol

from jobs.circuit import Change
from schemas.names import Provider
from schemas.status import CircuitState


class Log(Protocol):
    """What is used of a logger."""

    def info(self, event: str, /, **fields: object) -> object:
        """Write what is as it should be."""

    def warning(self, event: str, /, **fields: object) -> object:
        """Write what somebody may want to look at."""


def log_change(log: Log, provider: Provider, change: Change | None) -> None:
    """Log that a provider is away, or back."""
    if change is None:
        return
    if change.to is CircuitState.CLOSED:
        log.info("provider is back", provider=provider, circuit=str(change.to))
    else:
        log.warning("provider is away", provider=provider, circuit=str(change.to), reason=change.reason)


def log_probe(log: Log, provider: Provider, video_id: str) -> None:
    """Log that a submission tests whether a provider is back."""
    log.info("provider is tested", provider=provider, circuit=str(CircuitState.HALF_OPEN), video=video_id)
