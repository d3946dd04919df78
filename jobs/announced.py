"""Which providers are enabled anywhere: as generators announce it, so that one that has fewer fails nothing."""

from collections.abc import Callable, Sequence

from providers.registry import PROVIDERS
from schemas.names import Provider
from store import announcements
from store.announcements import Role
from store.transaction import Tx

ANNOUNCE_SECONDS = 3.0
"""How often generators and pollers announce what they have."""

SWITCHED_OFF_SECONDS = 30.0
"""For how long nobody must announce a provider for it to count as switched off."""


def enabled_anywhere(tx: Tx, own: Sequence[Provider]) -> tuple[Provider, ...] | None:
    """List the providers that this process has, then those that generators announced lately.

    Lately is as of the newest announcement: that all generators are away switches nothing off. None means that this
    process has none and no generator has ever announced anything, so that nobody knows.
    """
    return ask_enabled(tx, own)()


def ask_enabled(tx: Tx, own: Sequence[Provider]) -> Callable[[], tuple[Provider, ...] | None]:
    """Ask what `enabled_anywhere` tells, and give what reads the answer."""
    asked = announcements.ask_announced(tx)

    def read() -> tuple[Provider, ...] | None:
        seen = asked()
        newest = seen.get((Role.GENERATOR, None))
        if newest is None:
            return tuple(own) or None
        lately = {
            name
            for (role, name), at in seen.items()
            if role is Role.GENERATOR and name is not None and abs(newest - at) <= SWITCHED_OFF_SECONDS
        }
        return (*own, *(name for name in PROVIDERS if name in lately and name not in own))

    return read
