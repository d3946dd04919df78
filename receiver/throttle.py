"""Throttle peers that send wrong API keys. What is remembered of them is bounded."""

import math
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from schemas.problem import ProblemCode, Refusal

WINDOW_SECONDS = 60.0
ALLOWED = 100
"""Wrong keys of one peer in one window that are answered 401; further ones are answered 429."""

MOST_PEERS = 10_000


class RefusedKeys:
    """Counts the wrong keys of each peer. A valid key is never throttled: behind a proxy all callers are one peer."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._peers: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, address: str) -> bool:
        """Count a wrong key; say whether it was the peer's first of the window. Raises `Refusal` (rate_limited)."""
        peer, now = _network(address), self._now()
        began, count = self._peers.pop(peer, (now, 0))
        if not began <= now < began + WINDOW_SECONDS:
            began, count = now, 0
        self._peers[peer] = (began, count + 1)
        if len(self._peers) > MOST_PEERS:
            self._peers.popitem(last=False)
        if count >= ALLOWED:
            seconds = max(1, math.ceil(began + WINDOW_SECONDS - now))
            detail = f"too many wrong API keys came from your address; try again in {seconds} s with a valid one"
            raise Refusal(ProblemCode.RATE_LIMITED, detail, retry_after=seconds)
        return count == 0


def _network(address: str) -> str:
    """Take an IPv6 customer's whole network for one peer."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((read, 64), strict=False)) if isinstance(read, IPv6Address) else str(read)
