"""Which providers can make videos: those of this process, and those that generators announced in the store.

So a receiver needs no provider's secrets to tell a caller that a provider is switched off.
"""

import time

from jobs.announced import enabled_anywhere
from process.settings import Settings
from schemas.names import Provider
from schemas.problem import ProblemCode, Refusal
from store.database import Store

_KEPT_SECONDS = 1.0


class EnabledProviders:
    """What was announced, read at most once a second."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._own = settings.enabled_providers
        self._store = store
        self._read_at = float("-inf")
        self._read: tuple[Provider, ...] | None = None

    async def names(self) -> tuple[Provider, ...]:
        """List them. Raises `Refusal` (not_ready) while no generator has said yet what it has."""
        found = await self.known()
        if found is None:
            detail = "no generator has started yet, so nobody knows which providers there are; start one, or try again"
            raise Refusal(ProblemCode.NOT_READY, detail, retry_after=1)
        return found

    async def known(self) -> tuple[Provider, ...] | None:
        """List them, or give None while nobody knows."""
        if self._read is None or time.monotonic() - self._read_at >= _KEPT_SECONDS:
            self._read = await self._store.read(enabled_anywhere, self._own)
            self._read_at = time.monotonic()
        return self._read
