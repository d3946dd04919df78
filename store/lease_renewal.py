"""Renew the leases of attempts that a process has in hand."""

from collections.abc import Awaitable, Callable, Collection

from store import attempt_leases
from store.database import Store


def renewal(store: Store, *, owner: str, seconds: float) -> Callable[[Collection[str]], Awaitable[None]]:
    """Give a function that prolongs those leases of attempts that still are an owner's, each time by so much."""

    async def renew(attempt_ids: Collection[str]) -> None:
        until = store.now() + seconds
        await store.write_unsynced(attempt_leases.renew_leases, attempt_ids, owner=owner, until=until)

    return renew
