"""The rate limiter of API keys."""

import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from intake.context import Context
from schemas.problem import ProblemCode, Refusal


class RateLimiter:
    """A rate limit for each caller: a sliding window, so that bursts up to its whole content are free.

    It is kept in this process's memory: of several receivers each allows it.
    """

    def __init__(self, context: Context) -> None:
        limits = context.limits
        self._item = RateLimitItemPerSecond(limits.key_requests, limits.key_window)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self.policy = f'"key";q={limits.key_requests};w={limits.key_window}'

    def hit(self, caller: str) -> dict[str, str]:
        """Count a request; give the headers that tell what is left. Raises `Refusal` (rate_limited)."""
        allowed = self._limiter.hit(self._item, caller)
        reset_at, remaining = self._limiter.get_window_stats(self._item, caller)
        seconds = max(1, math.ceil(reset_at - time.time()))
        if not allowed:
            raise Refusal(
                ProblemCode.RATE_LIMITED,
                f"this API key may make {self._item.amount} requests in {self._item.multiples} s;"
                f" try again in {seconds} s",
                retry_after=seconds,
            )
        return {"ratelimit-policy": self.policy, "ratelimit": f'"key";r={max(0, int(remaining))};t={seconds}'}
