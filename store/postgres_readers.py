"""The readers of PostgreSQL: threads that each have a connection, each answer from one snapshot."""

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import psycopg

from store.postgres import ReadingTx, Session, translated
from store.transaction import Tx

T = TypeVar("T")

READERS = 3
"""How many reads one process makes at once."""

_CANCEL_SECONDS = 0.1


class PostgresReaders:
    """A pool of connections that only read. Each is opened when it is first needed."""

    def __init__(self, address: str, now: Callable[[], float]) -> None:
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._sessions = [Session(address) for _ in range(READERS)]
        self._now = now
        self._resting: queue.LifoQueue[Session] = queue.LifoQueue()
        for session in self._sessions:
            self._resting.put(session)

    async def read(self, run: Callable[[Tx], T]) -> T:
        """Run work in a thread, on a snapshot of what is committed. Raises `StoreUnavailable`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, run)

    async def close(self) -> None:
        """Cancel what is still being read, and close. The event loop does not wait for it."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        ending = asyncio.ensure_future(asyncio.to_thread(self._threads.shutdown))
        await asyncio.wait([ending], timeout=_CANCEL_SECONDS)
        while not ending.done():
            for session in self._sessions:
                with suppress(psycopg.Error):
                    await asyncio.to_thread(session.cancel)
            await asyncio.wait([ending], timeout=_CANCEL_SECONDS)
        for session in self._sessions:
            session.close()

    def _read(self, run: Callable[[Tx], T]) -> T:
        session = self._resting.get()
        try:
            return self._on_a_snapshot(session, run)
        except psycopg.Error as error:
            raise translated(error) from error
        finally:
            self._resting.put(session)

    def _on_a_snapshot(self, session: Session, run: Callable[[Tx], T]) -> T:
        try:
            return self._snapshot(session, run)
        except psycopg.OperationalError:
            if not session.lost:
                raise
            return self._snapshot(session, run)  # over a new connection: to read again harms nothing

    def _snapshot(self, session: Session, run: Callable[[Tx], T]) -> T:
        try:
            found = run(ReadingTx(session, now=self._now()))
        except BaseException:
            session.rollback()
            raise
        session.leave()
        return found
