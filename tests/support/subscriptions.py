"""Who takes events, as a test says it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.names import Provider
from schemas.subscriptions import Subscription, Subscriptions


@dataclass
class Desk:
    """Answers as it is told to, and counts."""

    fault: str | None = None
    unheard: list[str] = field(default_factory=lambda: ["video.failed.iacrea"])
    asked: list[Sequence[Provider]] = field(default_factory=list)

    async def look(self, providers: Sequence[Provider] = ()) -> Subscriptions:
        self.asked.append(providers)
        shop = Subscription(destination="shop", routing_key="video.ready.*", consumers=1, messages=0)
        return Subscriptions(
            exchange="video.events",
            management=None if self.fault else "http://127.0.0.1:15672",
            items=[] if self.fault else [shop],
            unheard=[] if self.fault else self.unheard,
            unroutable=None if self.fault else 0,
            fault=self.fault,
        )
