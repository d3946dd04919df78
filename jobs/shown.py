"""Which providers an overview shows: those that somebody uses, not all that there are."""

from collections.abc import Collection

from providers.registry import PROVIDERS
from schemas.names import ALWAYS_SHOWN, Provider
from store import pauses, providers
from store.transaction import Tx


def shown_providers(tx: Tx, enabled: Collection[Provider]) -> list[Provider]:
    """List the enabled ones, those that were ever asked or are paused, and those that clients count on.

    So a provider that was switched off keeps its credits and its faults in sight, and one that nobody has ever given
    credentials is not in the way. `GET /v1/providers` lists them all.
    """
    return [
        name
        for name in PROVIDERS
        if name in enabled or name in ALWAYS_SHOWN or providers.get(tx, name) or pauses.get(tx, name)
    ]
