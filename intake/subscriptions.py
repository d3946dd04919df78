"""Who takes our events; the broker's management API is asked outside of this room."""

from collections.abc import Sequence
from typing import Protocol

from schemas.names import Provider
from schemas.subscriptions import Subscriptions


class SubscriptionDesk(Protocol):
    """Knows the subscriptions of the exchange of events."""

    async def look(self, providers: Sequence[Provider] = ()) -> Subscriptions:
        """Ask now who is bound, and which terminal events of these providers nobody takes; faults are in the answer."""
