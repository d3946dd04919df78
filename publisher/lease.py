"""Hold a lease for as long as one works, so that over all processes only one does."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import structlog

from jobs import clock as clock_rules
from process.asyncio_events import wait
from process.clock import steady, watch_of
from publisher.timing import Timing
from store import leases
from store.database import Store, StoreUnavailable
from store.leases import Held

logger = structlog.get_logger(__name__)


class Turn:
    """Whose turn it is, as one process knows it by its own steady clock, whatever the wall clocks do.

    One's own turn ends so many seconds after the last renewal began. Another's is over when its lease was seen
    unrenewed for as long: that is later.
    """

    def __init__(self, owner: str, seconds: float) -> None:
        """Watch a lease of so many seconds for its would-be `owner`."""
        self.owner = owner
        self._seconds = seconds
        self._until = -math.inf
        self._seen: Held | None = None
        self._seen_at = 0.0

    def held(self, *, at: float) -> bool:
        """Say whether it is our turn."""
        return at < self._until

    def lapsed(self, *, at: float) -> Held | None:
        """Give the lease that its owner has not renewed in time, if there is one."""
        return self._seen if at >= self._seen_at + self._seconds else None

    def asked(self, holder: Held | None, *, began: float, at: float) -> None:
        """Note who was found to hold the lease, when that was asked and when it was answered."""
        ours = holder is not None and holder.owner == self.owner
        self._until = began + self._seconds if ours else -math.inf
        other = None if ours else holder
        if other != self._seen:
            self._seen, self._seen_at = other, at

    def end(self) -> None:
        """Know that it is our turn no more."""
        self._until = -math.inf


class Lease:
    """A lease that is asked for until it is ours, and then renewed, while it is `kept`; then one has to `leave` it.

    `turn` is set while it is; `held` says so to the moment, and is what to ask before doing anything: a
    process that was suspended finds its lease expired, however confident its event. `died` is what nobody
    foresaw and the keeper ended by; whoever holds the lease is to begin anew then.
    """

    def __init__(self, store: Store, name: str, timing: Timing) -> None:
        self.turn = asyncio.Event()
        self.died: BaseException | None = None
        self._store = store
        self._name = name
        self._timing = timing
        self._whose = Turn(uuid4().hex, timing.lease)
        self._clock = watch_of(store, clock_rules.mend)
        self._wanted = asyncio.Event()
        self._leaving: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """Whether the lease is ours now."""
        return self._whose.held(at=steady())

    @asynccontextmanager
    async def kept(self) -> AsyncIterator["Lease"]:
        """Ask for the lease, and keep asking in the background for as long as the block runs."""
        await self._stay()
        self.died = None
        await self.ask()
        keeper = asyncio.create_task(self._keep())
        try:
            yield self
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def _keep(self) -> None:
        """Ask for the lease and renew it, for ever, or until what nobody foresaw, which `died` is then."""
        try:
            while True:
                await asyncio.sleep(self._timing.renew)
                await self.ask()
        except Exception as error:
            logger.exception("lease keeper died", lease=self._name)
            self.died = error
            self._whose.end()
            self.turn.set()  # so that whoever rests looks up

    async def ask(self) -> None:
        """Ask for the lease, or renew it."""
        began = steady()
        try:
            holder = await self._clock.decide(
                self._store.write_unsynced,
                leases.acquire,
                self._name,
                owner=self._whose.owner,
                seconds=self._timing.lease,
                lapsed=self._whose.lapsed(at=began),
            )
        except StoreUnavailable as error:
            logger.warning("lease not renewed", lease=self._name, error=str(error))
        else:
            self._whose.asked(holder, began=began, at=steady())
        if self.held:
            self.turn.set()
        else:
            self.turn.clear()

    def leave(self, *, after: float) -> None:
        """Let another process have its turn in so many seconds, unless it is `kept` again before."""
        self._leaving = asyncio.create_task(self._leave(after))

    async def give_back(self) -> None:
        """Let another process have its turn at once."""
        await self._stay()
        await self._give_back()

    async def _leave(self, after: float) -> None:
        await wait(self._wanted, timeout=after)
        if not self._wanted.is_set():
            await self._give_back()

    async def _stay(self) -> None:
        """Leave it no more. Where it is being given back already, that is waited for: it may not come after an ask."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            self._wanted.set()
            await leaving
            self._wanted.clear()

    async def _give_back(self) -> None:
        # Under another name from now on: if nobody knows whether this was done, it may still be done at any time.
        owner = self._whose.owner
        self._whose = Turn(uuid4().hex, self._timing.lease)
        self.turn.clear()
        try:
            await self._store.write(leases.release, self._name, owner=owner)
        except StoreUnavailable as error:
            logger.warning("lease left to expire", lease=self._name, error=str(error))
