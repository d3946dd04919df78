"""Which providers are enabled anywhere: as generators announce it, so that one that has fewer fails nothing."""

from jobs.policy import Policy
from schemas.names import Provider
from store import announcements
from store.announcements import Role
from store.transaction import Tx

ANNOUNCE_SECONDS = 3.0
"""How often generators and pollers announce what they have."""

SWITCHED_OFF_SECONDS = 30.0
"""For how long nobody must announce a provider for it to count as switched off."""


def enabled_anywhere(tx: Tx, policy: Policy, *, now: float) -> tuple[Provider, ...]:
    """List the providers that this process has, then those that other generators announced lately."""
    seen = announcements.announced(tx)
    lately = [
        name
        for (role, name), at in seen.items()
        if role is Role.GENERATOR and name is not None and abs(now - at) <= SWITCHED_OFF_SECONDS
    ]
    return (*policy.providers, *(name for name in Provider if name in lately and name not in policy.providers))
