"""Open the store, and run work inside transactions that are committed in groups.

All work that waits runs in one database transaction, committed once; every caller is answered after the
commit. So a sync of the disk is shared by all who wait for one, and nothing is acknowledged before it is safe.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Concatenate, ParamSpec, TypeVar

from store import sqlite
from store.migrate import is_behind, migrate
from store.transaction import Topic, Tx

P = ParamSpec("P")
T = TypeVar("T")

WATCH_SECONDS = 0.05
"""How often an idle process looks whether another one has committed."""

_GATHERING_TURNS = 6
"""For how many turns of the event loop work is gathered before it is written.

They take some microseconds where nothing happens. Where much does, requests that are just coming in join, and
those who are woken by what is added join it with what they do about it.
"""

_LARGEST_GROUP = 2000

_CHECKPOINT_EVERY = 50
"""After how many pieces of work what they wrote is moved from the write-ahead log into the database."""

_QUICK_COMMIT = 0.001
"""Up to how many seconds of a commit may fall to each piece of work for it to be done on the event loop."""


class StoreUnavailable(Exception):
    """The store could not be read or written now: locked, full or read-only. Nothing was changed; try later."""


class _NotBegun(Exception):
    """No transaction could be begun, whatever was to be done in it: so all who wait are told at once."""


@dataclass(slots=True)
class _Work:
    run: Callable[[Tx], Any]
    future: asyncio.Future[Any]
    brief: bool = False
    repeatable: bool = False


class Store:
    """One SQLite file, shared by every process on this host.

    `work` is always an ordinary function whose first parameter is the transaction. It cannot await, so no
    transaction is ever held open across a network call; it must have no effect but through the transaction,
    because a group that fails is run again one by one.
    """

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._writing = sqlite.connect(path, patience=0)  # `sqlite.begin` has its own
        self._reading = sqlite.connect(path)
        self._checkpointing = sqlite.connect(path)
        self._unchecked = 0
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._waiting: list[_Work] = []
        self._handed_over = 0
        self._commit_seconds = 0.0
        self._groups: queue.SimpleQueue[list[_Work] | None] = queue.SimpleQueue()
        self._listeners: dict[Topic, list[asyncio.Event]] = {topic: [] for topic in Topic}
        self._writer = threading.Thread(target=self._write_groups, name="store-writer", daemon=True)

    @classmethod
    async def open(cls, url: str) -> "Store":
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
        try:
            # Written only where it must be, so that a process can start while a full disk is being emptied.
            if await store.read(is_behind, sqlite.DIALECT):
                await store.write(migrate, sqlite.DIALECT)
        except BaseException:
            await store.close()
            raise
        return store

    def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run `work(tx, …)`: all of it happens and is on disk, or none of it. Raises `StoreUnavailable`."""
        return self._add(lambda tx: work(tx, *args, **kwargs))

    def write_brief(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Do the same for work of a few small rows.

        While the disk is quick, a group of nothing else is written on the event loop. A writer thread asks
        the interpreter for its turn at every statement, and beside a busy loop gets it too late.
        """
        return self._add(lambda tx: work(tx, *args, **kwargs), brief=True)

    def write_repeatable(
        self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Do the same for brief work that whoever finds it undone does again, such as a claim.

        It outlives this process at once, but the machine only with the next write that is not repeatable: for
        this alone no disk is synced.
        """
        return self._add(lambda tx: work(tx, *args, **kwargs), brief=True, repeatable=True)

    async def read(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, …)` on a snapshot of what is committed. Raises `StoreUnavailable`."""
        return await self._loop.run_in_executor(
            self._reader, _read, self._reading, lambda tx: work(tx, *args, **kwargs)
        )

    async def read_brief(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same for work that reads a few rows: on the event loop, unless the writer thread is busy."""
        if not self._handed_over:
            with suppress(StoreUnavailable):
                return _read(self._writing, lambda tx: work(tx, *args, **kwargs))
        return await self.read(work, *args, **kwargs)

    def listen(self, topic: Topic) -> asyncio.Event:
        """Give an event of the caller's own, set whenever any process may have made work of this kind."""
        event = asyncio.Event()
        self._listeners[topic].append(event)
        return event

    def wake(self, topic: Topic) -> None:
        """Wake those in this process who wait for a topic, in the very turn in which work for them is added.

        What they add comes behind it, and mostly in the same commit: to be woken by the commit would cost another.
        """
        self._set({topic})

    async def close(self) -> None:
        """Commit what waits and close the file."""
        if self._waiting:
            self._hand_over(self._take_waiting())
        self._groups.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reader.shutdown()
        self._reading.close()
        self._checkpointing.close()
        self._writing.close()

    def _add(self, run: Callable[[Tx], T], *, brief: bool = False, repeatable: bool = False) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._waiting:
            self._gather(_GATHERING_TURNS)
        self._waiting.append(_Work(run, future, brief, repeatable))
        return future

    def _gather(self, turns: int) -> None:
        if turns:
            self._loop.call_soon(self._gather, turns - 1)
        else:
            self._begin()

    def _begin(self) -> None:
        group = self._take_waiting()
        if group and not (self._is_brief(group) and self._write_here(group)):
            self._hand_over(group)

    def _take_waiting(self) -> list[_Work]:
        group, self._waiting = self._waiting, []
        return group

    def _is_brief(self, group: list[_Work]) -> bool:
        quick = self._commit_seconds <= _QUICK_COMMIT
        return quick and not self._handed_over and all(work.brief for work in group)

    def _write_here(self, group: list[_Work]) -> bool:
        """Write a group on the event loop if that can be done at once; say whether it was."""
        try:
            outcomes, topics = self._attempt(group, patience=0)
        except Exception:  # the writer does it again, waits where it must, and finds out whose error it is
            return False
        _deliver(outcomes)
        self._set(topics)
        return True

    def _hand_over(self, group: list[_Work]) -> None:
        self._handed_over += len(group)
        self._groups.put(group)

    def _write_groups(self) -> None:
        seen = sqlite.change_counter(self._writing)
        while True:
            try:
                group = self._groups.get(timeout=WATCH_SECONDS)
            except queue.Empty:
                group = []
                self._checkpoint()
            if group is None:
                return
            stopping = self._join(group)
            if group:
                self._write_group(group)
            counter = self._change_counter(seen)
            if counter != seen:
                seen = counter
                self._loop.call_soon_threadsafe(self._set, set(Topic))
            if stopping:
                return

    def _checkpoint(self) -> None:
        """Empty the write-ahead log here now and then, so that hardly a commit has to."""
        if self._unchecked >= _CHECKPOINT_EVERY:
            self._unchecked = 0
            with suppress(sqlite3.Error):
                sqlite.checkpoint(self._checkpointing)

    def _join(self, group: list[_Work]) -> bool:
        """Add to a group whatever else waits; say whether the end was among it."""
        while group and len(group) < _LARGEST_GROUP:
            try:
                more = self._groups.get_nowait()
            except queue.Empty:
                return False
            if more is None:
                return True
            group.extend(more)
        return False

    def _change_counter(self, seen: int) -> int:
        try:
            return sqlite.change_counter(self._writing)
        except sqlite3.Error:
            return seen

    def _write_group(self, group: list[_Work]) -> None:
        try:
            outcomes, topics = self._attempt(group)
        except _NotBegun as error:
            outcomes, topics = _refused(group, error), set()
        except Exception as error:
            if len(group) == 1:
                outcomes, topics = _refused(group, error), set()
            else:
                outcomes, topics = self._one_by_one(group)
        self._loop.call_soon_threadsafe(self._written, outcomes, topics)

    def _one_by_one(self, group: list[_Work]) -> "tuple[list[_Outcome], set[Topic]]":
        outcomes: list[_Outcome] = []
        topics: set[Topic] = set()
        for place, work in enumerate(group):
            try:
                done, woken = self._attempt([work])
                outcomes += done
                topics |= woken
            except _NotBegun as error:
                return outcomes + _refused(group[place:], error), topics
            except Exception as error:
                outcomes += _refused([work], error)
        return outcomes, topics

    def _attempt(self, group: list[_Work], *, patience: float | None = None) -> "tuple[list[_Outcome], set[Topic]]":
        tx = Tx(self._writing)
        synced = not all(work.repeatable for work in group)
        try:
            sqlite.sync(tx, at_once=synced)
            sqlite.begin(tx, patience=patience)
        except sqlite3.Error as error:
            raise _NotBegun from error
        try:
            outcomes: list[_Outcome] = [(work.future, work.run(tx), None) for work in group]
            began = perf_counter()
            tx.execute("COMMIT")
            if synced:
                each = (perf_counter() - began) / len(group)
                self._commit_seconds += 0.2 * (each - self._commit_seconds)
            self._unchecked += len(group)
        except BaseException:
            if self._writing.in_transaction:
                tx.execute("ROLLBACK")
            raise
        return outcomes, tx.topics

    def _written(self, outcomes: "list[_Outcome]", topics: set[Topic]) -> None:
        self._handed_over -= len(outcomes)
        _deliver(outcomes)
        self._set(topics)

    def _set(self, topics: set[Topic]) -> None:
        for topic in topics:
            for event in self._listeners[topic]:
                event.set()


_Outcome = tuple[asyncio.Future[Any], Any, Exception | None]


def sqlite_path(url: str) -> str:
    """Give the file that `sqlite:///PATH` names. Raises ValueError with the mend."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or not url[len(prefix) :]:
        raise ValueError("must be sqlite:///PATH, as in sqlite:///reelbus.db")
    return url[len(prefix) :]


def _read(connection: sqlite3.Connection, run: Callable[[Tx], T]) -> T:
    tx = Tx(connection)
    try:
        tx.execute("BEGIN")
        try:
            return run(tx)
        finally:
            tx.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error


def _refused(group: list[_Work], error: Exception) -> list[_Outcome]:
    if isinstance(error, _NotBegun) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return [(work.future, None, _translated(error)) for work in group]


def _translated(error: Exception) -> Exception:
    if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        translated = StoreUnavailable(str(error))
        translated.__cause__ = error
        return translated
    return error


def _deliver(outcomes: list[_Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
