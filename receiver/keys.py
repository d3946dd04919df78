"""Know callers by their API keys, and hold each to a rate."""

import hashlib
import hmac
import math
import time
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import SecretStr
from starlette.datastructures import Headers

from receiver.context import LOCAL_CALLER, Context
from schemas.problem import ProblemCode, Refusal


class Keys:
    """The API keys, compared in constant time."""

    def __init__(self, keys: Mapping[str, SecretStr]) -> None:
        self._digests = {name: _digest(key.get_secret_value().encode()) for name, key in keys.items()}

    def caller(self, headers: Headers) -> str:
        """Name the caller. Raises `Refusal` (unauthorized)."""
        if not self._digests:
            return _local(headers)
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = _digest(key.strip().encode("latin-1", "replace"))
        matching = [name for name, digest in self._digests.items() if hmac.compare_digest(digest, given)]
        if scheme.lower() == "bearer" and matching:
            return matching[0]
        raise Refusal(
            ProblemCode.UNAUTHORIZED,
            "the API key is missing or wrong; send a valid one as `Authorization: Bearer KEY`",
        )


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _local(headers: Headers) -> str:
    """Without keys, serve programs on this machine only, not web pages nor tunnels that reach it through them."""
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise Refusal(
            ProblemCode.UNAUTHORIZED, "another web site may not call this one; set REELBUS_API_KEYS to allow it"
        )
    if not _names_this_machine(headers.get("host", "localhost")):
        raise Refusal(
            ProblemCode.UNAUTHORIZED,
            "without API keys only this machine is served, under its loopback address; set REELBUS_API_KEYS",
        )
    return LOCAL_CALLER


@lru_cache(maxsize=64)
def _names_this_machine(host: str) -> bool:
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    if name.lower().rstrip(".") in {"localhost", "localhost.localdomain", "testserver", "test"}:
        return True
    return is_loopback(name)


def is_loopback(host: str) -> bool:
    """Say whether a host, as in `REELBUS_HOST`, can be reached from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Pace:
    """A rate for each API key: a sliding window, so that bursts up to its whole content are free."""

    def __init__(self, context: Context) -> None:
        limits = context.limits
        self._item = RateLimitItemPerSecond(limits.key_requests, limits.key_window)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self.policy = f'"key";q={limits.key_requests};w={limits.key_window}'

    def take(self, caller: str) -> dict[str, str]:
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
