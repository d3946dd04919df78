"""The spending budget of a caller: videos a day (UTC), decided in the transaction that accepts them."""

import math

from store import spending
from store.transaction import Tx

_DAY = 86400.0


def book(tx: Tx, caller: str, *, budget: int | None, videos: int = 1, now: float) -> bool:
    """Count videos towards today's budget of a caller; say whether it has room. None is no limit, and not counted."""
    if budget is None:
        return True
    today = int(now // _DAY)
    tx.lock(f"spending of {caller}")
    if spending.get(tx, caller, day=today) + videos > budget:
        return False
    spending.add(tx, caller, day=today, videos=videos)
    return True


def spent_today(tx: Tx, caller: str, *, now: float) -> int:
    """Read how many videos have gone to today's budget of a caller."""
    return spending.get(tx, caller, day=int(now // _DAY))


def seconds_left(now: float) -> int:
    """Say for how many seconds today lasts."""
    return max(1, math.ceil(_DAY - now % _DAY))
