"""Wait for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

GIVE_UP_SECONDS = 60.0
"""How long a test waits for what is to happen: several times what a busy machine needs."""

_SOONEST, _LATEST = 0.02, 0.2
"""Seconds between two looks, at the least and at the most."""
_SHARE = 0.1
"""Of the time that it has waited, what it waits until the next look."""

T = TypeVar("T")


@overload
async def eventually(look: Callable[[], Awaitable[T]], *, within: float = ..., what: str = ...) -> T: ...
@overload
async def eventually(look: Callable[[], T], *, within: float = ..., what: str = ...) -> T: ...
async def eventually(look: Callable[[], Any], *, within: float = GIVE_UP_SECONDS, what: str = "it") -> Any:
    """Look again and again until something true comes back, and give it; AssertionError after `within` seconds.

    The longer it waits, the less often it looks, for each look at a service costs that service's processor too.
    """
    began = time.monotonic()
    give_up_at = began + within
    while True:
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        assert time.monotonic() < give_up_at, f"{what} did not happen within {within:g} s; last seen: {found!r}"
        await asyncio.sleep(min(max(_SOONEST, _SHARE * (time.monotonic() - began)), _LATEST))
