"""The store in one SQLite file: work runs inside transactions that are committed in groups.

All work that waits runs in one database transaction, committed once; every caller is answered after the
commit. So a sync of the disk is shared by all who wait for one, and nothing is acknowledged before it is safe.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from store import sqlite
from store.checkpoints import Checkpoints
from store.errors import StoreUnavailable
from store.group import Committed, GroupCommit, Observe, Work, deliver
from store.migrate import is_behind, migrate
from store.pace import LARGEST_ON_LOOP
from store.pictures import Pictures
from store.readers import Readers, read
from store.transaction import Signal, Tx
from store.writer import WATCH_SECONDS, Writer

__all__ = ["WATCH_SECONDS", "SqliteStore", "sqlite_path"]

P = ParamSpec("P")
T = TypeVar("T")

_GROUP_COMMIT_TURNS = 6
"""For how many turns of the event loop work is gathered before it is written.

They take some microseconds where nothing happens. Where much does, requests that are just coming in join, and
those who are woken by what is added join it with what they do about it.
"""


class SqliteStore:
    """One SQLite file, shared by every process on this host. What the methods promise says `store.database.Store`."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._commits = GroupCommit(sqlite.connect(path, busy_timeout=0))  # `sqlite.begin` has its own
        self._checkpoints = Checkpoints(path, self._commits, died=self._log_keeper_died)
        self._readers = Readers(path)
        self.pictures = Pictures(path, self._readers)
        self._waiting: list[Work] = []
        self._handed_over = 0
        self._listeners: dict[Signal, list[asyncio.Event]] = {topic: [] for topic in Signal}
        self._writer = Writer(
            self._commits,
            hold_back=self._checkpoints.hold_back,
            written=lambda committed: self._from_thread(self._written, committed),
            changed=lambda: self._from_thread(self._set, set(Signal)),
            died=lambda error: self._from_thread(self._break, error),
        )
        self._fault: StoreUnavailable | None = None
        self.broken = asyncio.Event()
        """Set when a thread is dead. The process must end: see `raise_if_broken`."""

    @classmethod
    async def open(cls, url: str) -> "SqliteStore":
        """Open `sqlite:///PATH`, upgraded to this release's tables.

        Raises `StoreUnavailable`, `StoreTooNew`, or ValueError for an address of another form.
        """
        path = Path(sqlite_path(url))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store = cls(path)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"cannot open {path}: {error}") from error
        store._writer.start()
        store._checkpoints.start()
        try:
            # Written only where it must be, so that a process can start while a full disk is being emptied.
            if await store.read(is_behind, sqlite.DIALECT):
                await store.write(migrate, sqlite.DIALECT)
        except BaseException:
            await store.close()
            raise
        return store

    clock_is_shared = False

    def now(self) -> float:
        """Give the time by this machine's clock, in Unix seconds."""
        return time.time()

    def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run `work(tx, …)`: all of it happens and is on disk, or none of it. Raises `StoreUnavailable`."""
        return self._add(lambda tx: work(tx, *args, **kwargs))

    def write_small(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Do the same for work of a few small rows.

        While the disk is quick, a group of nothing else is written on the event loop. A writer thread asks
        the interpreter for its turn at every statement, and beside a busy loop gets it too late.
        """
        return self._add(lambda tx: work(tx, *args, **kwargs), brief=True)

    def write_unsynced(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Do the same for brief work that whoever finds it undone does again, such as a claim.

        It outlives this process at once, but the machine only with the next write that is synced: for this alone
        no disk is. Where it decides something that others will see, `Tx.must_sync` has it synced all the same.
        """
        return self._add(lambda tx: work(tx, *args, **kwargs), brief=True, repeatable=True)

    async def read(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, …)` on a snapshot of what is committed. Raises `StoreUnavailable`."""
        return await self._readers.read(lambda tx: work(tx, *args, **kwargs))

    async def read_small(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same for work that reads a few rows: on the event loop, unless the writer thread is busy."""
        if not self._handed_over:
            with suppress(StoreUnavailable):
                return read(self._commits.connection, lambda tx: work(tx, *args, **kwargs))
        return await self.read(work, *args, **kwargs)

    def listen(self, topic: Signal) -> asyncio.Event:
        """Give an event of the caller's own, set whenever any process may have made work of this kind."""
        event = asyncio.Event()
        self._listeners[topic].append(event)
        return event

    def notify(self, topic: Signal) -> None:
        """Wake those in this process who wait for a topic, in the very turn in which work for them is added.

        What they add comes behind it, and mostly in the same commit: to be woken by the commit would cost another.
        """
        self._set({topic})

    def observe_commits(self, observe: Observe) -> None:
        """Report every group commit to a callback, in whichever thread it is made."""
        self._commits.observe = observe

    def raise_if_broken(self) -> None:
        """Raise `StoreUnavailable` if a thread is dead: every write from now on raises the same."""
        if self._fault is not None:
            raise self._fault

    async def close(self) -> None:
        """Commit what waits and close the file. Reads that are still under way are interrupted."""
        if self._waiting:
            self._commit_on_thread(self._dequeue())
        await asyncio.to_thread(self._writer.stop)
        await asyncio.to_thread(self._checkpoints.stop)
        await self.pictures.close()
        await self._readers.close()
        self._commits.connection.close()

    def _add(self, run: Callable[[Tx], T], *, brief: bool = False, repeatable: bool = False) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        if self._fault is not None:
            future.set_exception(self._fault)
            return future
        if not self._waiting:
            self._collect(_GROUP_COMMIT_TURNS)
        self._waiting.append(Work(run, future, brief, repeatable))
        return future

    def _collect(self, turns: int) -> None:
        if turns:
            self._loop.call_soon(self._collect, turns - 1)
        else:
            self._begin()

    def _begin(self) -> None:
        group = self._dequeue()
        if group and not (self._fits_here(group) and self._commit_inline(group)):
            self._commit_on_thread(group)

    def _dequeue(self) -> list[Work]:
        group, self._waiting = self._waiting, []
        return group

    def _fits_here(self, group: list[Work]) -> bool:
        """Say whether a group may be written on the event loop."""
        if self._handed_over or len(group) > LARGEST_ON_LOOP or not all(work.brief for work in group):
            return False
        if self._checkpoints.is_too_long():
            return False
        return self._commits.pace.is_quick(synced=not all(work.repeatable for work in group))

    def _commit_inline(self, group: list[Work]) -> bool:
        """Write a group on the event loop if that can be done at once; say whether it was."""
        try:
            committed = self._commits.commit(group, busy_timeout=0)
        except Exception:  # the writer does it again, waits where it must, and finds out whose error it is
            return False
        deliver(committed.outcomes)
        self._set(committed.signals)
        return True

    def _commit_on_thread(self, group: list[Work]) -> None:
        self._handed_over += len(group)
        self._writer.put(group)

    def _from_thread(self, callback: Callable[[T], object], argument: T) -> None:
        with suppress(RuntimeError):  # the event loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(callback, argument)

    def _log_keeper_died(self, error: BaseException) -> None:
        self._from_thread(partial(self._end, "the thread that keeps the write-ahead log short"), error)

    def _written(self, committed: Committed) -> None:
        self._handed_over -= len(committed.outcomes)
        deliver(committed.outcomes)
        self._set(committed.signals)

    def _set(self, signals: set[Signal]) -> None:
        for topic in signals:
            for event in self._listeners[topic]:
                event.set()

    def _break(self, error: BaseException) -> None:
        """Refuse all that waits and all that will come: the thread that writes is dead."""
        fault = self._end("the thread that writes", error)
        deliver([(work.future, None, fault) for work in self._writer.left() + self._dequeue()])

    def _end(self, thread: str, error: BaseException) -> StoreUnavailable:
        """Refuse all that will come, because a thread is dead; give the reason."""
        if self._fault is None:
            self._fault = StoreUnavailable(f"{thread} has died: {error!r}")
            self._fault.__cause__ = error
        self.broken.set()
        return self._fault


def sqlite_path(url: str) -> str:
    """Give the file that `sqlite:///PATH` names. Raises ValueError with the mend."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or not url[len(prefix) :]:
        raise ValueError(
            "must be sqlite:///PATH, as in sqlite:///reelbus.db, or postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return url[len(prefix) :]
