"""Hold a lease for as long as one works, so that over all processes only one does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import structlog

from jobs import clock as clock_rules
from process.clock import watch_of
from publisher.timing import Timing
from store import leases
from store.database import Store, StoreUnavailable

logger = structlog.get_logger(__name__)


class Lease:
    """A lease that is asked for until it is ours, and then renewed.

    `turn` is set while it is; `held` says so to the moment, and is what to ask before doing anything: a
    process that was suspended finds its lease expired, however confident its event. `died` is what nobody
    foresaw and the keeper ended by; whoever holds the lease is to begin anew then.
    """

    def __init__(self, store: Store, name: str, timing: Timing) -> None:
        self.turn = asyncio.Event()
        self.died: BaseException | None = None
        self._store = store
        self._name = name
        self._owner = uuid4().hex
        self._timing = timing
        self._until = 0.0
        self._clock = watch_of(store, clock_rules.mend)

    @property
    def held(self) -> bool:
        """Whether the lease is ours now."""
        return self._store.now() < self._until

    async def keep(self) -> None:
        """Ask for the lease and renew it, for ever, or until what nobody foresaw, which `died` is then."""
        try:
            while True:
                await asyncio.sleep(self._timing.renew)
                await self.ask()
        except Exception as error:
            logger.exception("lease keeper died", lease=self._name)
            self.died = error
            self._until = 0.0
            self.turn.set()  # so that whoever rests looks up

    async def ask(self) -> None:
        """Ask for the lease, or renew it."""
        seconds = self._timing.lease
        try:
            await self._clock.mend()
            now = self._store.now()
            ours = await self._store.write_unsynced(
                leases.acquire, self._name, owner=self._owner, now=now, seconds=seconds
            )
        except StoreUnavailable as error:
            logger.warning("lease not renewed", lease=self._name, error=str(error))
            ours = self.held
        else:
            self._until = now + seconds if ours else 0.0
        if ours:
            self.turn.set()
        else:
            self.turn.clear()

    async def give_back(self) -> None:
        """Give the lease back, so that another process can acquire it at once."""
        self._until = 0.0
        self.turn.clear()
        try:
            await self._store.write(leases.release, self._name, owner=self._owner)
        except StoreUnavailable as error:
            logger.warning("lease left to expire", lease=self._name, error=str(error))


@asynccontextmanager
async def kept(store: Store, name: str, timing: Timing) -> AsyncIterator[Lease]:
    """Ask for a lease, keep asking in the background, and give it back in the end."""
    lease = Lease(store, name, timing)
    await lease.ask()
    keeper = asyncio.create_task(lease.keep())
    try:
        yield lease
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])
        await lease.give_back()
