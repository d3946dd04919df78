"""A rate for redeliveries: each publishes a whole event again, which subscribers and the broker's log must hold."""

import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from intake.context import Limits
from schemas.problem import ProblemCode, Refusal


class RedeliveryLimit:
    """A sliding window for each caller."""

    def __init__(self, limits: Limits) -> None:
        self._item = RateLimitItemPerSecond(limits.redeliveries, limits.redelivery_window)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def hit(self, caller: str) -> None:
        """Count a redelivery. Raises `Refusal` (rate_limited)."""
        if self._limiter.hit(self._item, caller):
            return
        reset_at, _ = self._limiter.get_window_stats(self._item, caller)
        seconds = max(1, math.ceil(reset_at - time.time()))
        detail = f"{self._item.amount} redeliveries in {self._item.multiples} s are allowed; try again in {seconds} s"
        raise Refusal(ProblemCode.RATE_LIMITED, detail, retry_after=seconds)
