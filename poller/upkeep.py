"""What a poller does now and then beside its checks; each is a step of `process.repeating.repeat`."""

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from jobs import erasure, housekeeping, overdue, quarantine, switched_off
from jobs.policy import Policy
from poller.checking import Checker
from poller.log_lines import log_switched_off, log_unreadable
from providers.registry import PROVIDERS
from store import announcements, open_attempts
from store.announcements import Role
from store.database import Store

_PAUSE_SECONDS = 0.05
"""Between two batches of old videos that are erased."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The steps of one poller, and what it has seen between them."""

    store: Store
    policy: Policy
    checker: Checker
    announced: switched_off.Watch = field(default_factory=switched_off.Watch)

    async def give_up(self) -> int:
        """Time out what is overdue and could be asked about in vain."""
        await self.checker.clock.mend()
        found = await self.store.read(overdue.find, self.policy, now=self.store.now())
        over = self.checker.watch.step(self.policy, found, now=self.store.now(), at=time.monotonic())
        if over:
            await self.checker.clock.decide(self.store.write, overdue.give_up, self.policy, over)
        return 0

    async def switch_off(self) -> int:
        """Announce what this poller has, and end what a switched-off provider left."""
        await self.store.write_unsynced(
            announcements.announce, Role.POLLER, self.policy.providers, now=self.store.now()
        )
        removed = await self.store.read(open_attempts.strangers, list(PROVIDERS))
        seen = await self.store.read(announcements.announced)
        off = self.announced.step(seen, at=time.monotonic(), removed=removed)
        ended = await self.store.write(switched_off.end, self.policy, off, now=self.store.now()) if off else 0
        log_switched_off(off, ended)
        return ended

    async def tidy(self) -> int:
        """Drop what nobody can need any more."""
        return await self.store.write(housekeeping.sweep, now=self.store.now())

    async def drop_pictures(self) -> int:
        """Drop the pictures that no provider may still fetch."""
        dropped = await self.store.write(housekeeping.drop_pictures, self.policy, now=self.store.now())
        await self.store.pictures.remove(dropped.names)
        return dropped.number

    async def erase_old(self) -> int:
        """Erase the videos that ended longer ago than they are kept, a few at a time, with pauses for everyone else."""
        if not self.policy.retention:
            return 0
        dropped = await self.store.write(erasure.erase_old, self.policy, now=self.store.now())
        await self.store.pictures.remove(dropped.names)
        if dropped.number:
            log.info("old videos erased", count=dropped.number)
            await asyncio.sleep(_PAUSE_SECONDS)
        return dropped.number

    async def review(self) -> int:
        """Take back the rows that can be read by now, and tell of those that cannot."""
        log_unreadable(await self.store.write(quarantine.review))
        return 0
