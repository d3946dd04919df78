"""The readers: threads that each have a connection, so that a short answer does not wait behind a long one."""

import asyncio
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from store import sqlite
from store.errors import StoreUnavailable
from store.transaction import Tx

T = TypeVar("T")

READERS = 4
"""How many reads one process makes at once."""

_INTERRUPT_SECONDS = 0.05
"""How often, while the store closes, a read of many statements is interrupted again."""


class Readers:
    """A pool of connections that only read. Each is opened when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._resting: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._open: list[sqlite3.Connection] = []

    async def read(self, run: Callable[[Tx], T]) -> T:
        """Run work in a thread, on a snapshot of what is committed. Raises `StoreUnavailable`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, run)

    async def close(self) -> None:
        """Interrupt what is still being read, and close. The event loop does not wait for it."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        ending = asyncio.ensure_future(asyncio.to_thread(self._threads.shutdown))
        while not ending.done():
            for connection in tuple(self._open):
                connection.interrupt()
            await asyncio.wait([ending], timeout=_INTERRUPT_SECONDS)
        for connection in self._open:
            connection.close()

    def _read(self, run: Callable[[Tx], T]) -> T:
        connection = self._checkout()
        try:
            return read(connection, run)
        finally:
            self._resting.put(connection)

    def _checkout(self) -> sqlite3.Connection:
        try:
            return self._resting.get_nowait()
        except queue.Empty:
            pass
        try:
            connection = sqlite.connect(self._path)
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        self._open.append(connection)
        return connection


def read(connection: sqlite3.Connection, run: Callable[[Tx], T]) -> T:
    """Run work on a snapshot, and forget whatever it writes. Raises `StoreUnavailable`."""
    tx = sqlite.SqliteTx(connection)
    try:
        tx.execute("BEGIN")
        try:
            return run(tx)
        finally:
            tx.close_answers()
            tx.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error
