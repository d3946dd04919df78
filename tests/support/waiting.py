"""Wait for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

GIVE_UP_SECONDS = 60.0
"""How long a test waits for what is to happen: several times what a busy machine needs."""

T = TypeVar("T")


@overload
async def eventually(look: Callable[[], Awaitable[T]], *, within: float = ..., what: str = ...) -> T: ...
@overload
async def eventually(look: Callable[[], T], *, within: float = ..., what: str = ...) -> T: ...
async def eventually(look: Callable[[], Any], *, within: float = GIVE_UP_SECONDS, what: str = "it") -> Any:
    """Look again and again until something true comes back, and give it; AssertionError after `within` seconds."""
    give_up_at = time.monotonic() + within
    while True:
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        assert time.monotonic() < give_up_at, f"{what} did not happen within {within:g} s; last seen: {found!r}"
        await asyncio.sleep(0.02)
