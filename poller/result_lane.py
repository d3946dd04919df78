"""The lane in which results are proven and copied: their hosts hold no place of the checks, however slow they are.

Nor does one host that hangs hold all the turns of the lane: those of other hosts go on beside it.
"""

import asyncio
from weakref import WeakValueDictionary

from jobs.results import Proven, Unproven
from poller.results import Prove
from process.workers import Workers
from store.attempts import AttemptRow

AT_ONCE = 12
"""Results of one provider that are asked for, or copied, at once."""

AT_ONCE_OF_ONE_HOST = 8

MOST_WAITING = 500
"""Finished jobs of one provider that wait for their turn; only those beyond hold places of its checks."""


class ResultLane:
    """Proves the results of one provider, whose checks `workers` make."""

    def __init__(self, prove: Prove) -> None:
        self._prove = prove
        self._room = asyncio.Semaphore(MOST_WAITING)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._turns_of_hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self.workers: Workers[AttemptRow] | None = None

    async def prove(self, attempt: AttemptRow, urls: tuple[str, ...]) -> Proven | Unproven:
        """Prove a result in its turn, while the place of its check is another's."""
        async with self._room:
            if self.workers is None:
                return await self._prove(attempt, urls)
            with self.workers.aside(attempt.id):
                async with self._turn_of(urls[0]), self._turn:
                    return await self._prove(attempt, urls)

    def _turn_of(self, url: str) -> asyncio.Semaphore:
        """Give the turns of a host, which are kept for as long as somebody has or wants one."""
        host = url.partition("://")[2].partition("/")[0]
        return self._turns_of_hosts.setdefault(host, asyncio.Semaphore(AT_ONCE_OF_ONE_HOST))
