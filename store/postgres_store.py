"""The store in a PostgreSQL database, shared by the processes of many hosts."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

import psycopg

from store.bell import Bell
from store.errors import StoreUnavailable
from store.group import Committed, Observe, Work, deliver
from store.lanes import Lane
from store.migrate import is_behind, migrate
from store.postgres import DIALECT, conninfo, translated
from store.postgres_pictures import PostgresPictures
from store.postgres_readers import PostgresReaders
from store.server_clock import ServerClock
from store.transaction import Signal, Tx

P = ParamSpec("P")
T = TypeVar("T")

_REPEATABLE_AT_ONCE = 2


class PostgresStore:
    """A PostgreSQL database. What `work` may do, and what the methods promise, says `store.database.Store`.

    A connection that is lost during a commit raises `CommitUnknown`, a `StoreUnavailable`: whoever gets it does the
    same again, which all work of the rooms survives.
    """

    def __init__(self, url: str) -> None:
        address = conninfo(url)
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[Signal, list[asyncio.Event]] = {topic: [] for topic in Signal}
        self._coming: set[Signal] = set()
        self._under_way: set[asyncio.Future[object]] = set()
        self._clock = ServerClock()
        self._readers = PostgresReaders(address, self._clock.now)
        self._bell = Bell(
            address,
            self._clock,
            heard=lambda topics: self._from_thread(self._set, topics),
            died=self._bell_died,
        )
        self._durable = self._lane(address, synced=True, threads=1)
        self._repeatable = self._lane(address, synced=False, threads=_REPEATABLE_AT_ONCE)
        self.pictures = PostgresPictures(self.write, self._readers, self._clock.now)
        self._fault: StoreUnavailable | None = None
        self.broken = asyncio.Event()

    @classmethod
    async def open(cls, url: str) -> "PostgresStore":
        """Open `postgresql://…`, upgraded to this release's tables. Raises as `Store.open` does."""
        store = cls(url)
        for part in (store._durable, store._repeatable, store._bell):
            part.start()
        try:
            await store.read(store._clock.look)
            if await store.read(is_behind, DIALECT):
                await store.write(migrate, DIALECT)
        except psycopg.ProgrammingError as error:
            await store.close()
            raise StoreUnavailable(f"PostgreSQL: {error.diag.message_primary}") from error
        except BaseException:
            await store.close()
            raise
        return store

    clock_is_shared = True

    def now(self) -> float:
        """Give the time by the server's clock, in Unix seconds."""
        return self._clock.now()

    def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run `work(tx, …)`: all of it happens and is durable, or none of it. Raises `StoreUnavailable`."""
        return self._add(lambda tx: work(tx, *args, **kwargs), self._durable)

    def write_small(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Do the same for work of a few small rows."""
        return self._add(lambda tx: work(tx, *args, **kwargs), self._durable)

    def write_unsynced(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Do the same for brief work that whoever finds it undone does again: in a commit that waits for no disk."""
        return self._add(lambda tx: work(tx, *args, **kwargs), self._repeatable)

    async def read(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, …)` on a snapshot of what is committed. Raises `StoreUnavailable`."""
        return await self._readers.read(lambda tx: work(tx, *args, **kwargs))

    async def read_small(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same for work that reads a few rows."""
        return await self.read(work, *args, **kwargs)

    def listen(self, topic: Signal) -> asyncio.Event:
        """Give an event of the caller's own, set whenever any process may have made work of this kind."""
        event = asyncio.Event()
        self._listeners[topic].append(event)
        return event

    def notify(self, topic: Signal) -> None:
        """Wake those who wait for a topic, in every process, once what is added next is committed.

        Other connections see it no sooner than that.
        """
        self._coming.add(topic)

    def observe_commits(self, observe: Observe) -> None:
        """Report every group commit of durable work to a callback, in a thread of ours."""
        self._durable.observe = observe

    def raise_if_broken(self) -> None:
        """Raise `StoreUnavailable` if a thread is dead: every write from now on raises the same."""
        if self._fault is not None:
            raise self._fault

    async def close(self) -> None:
        """Commit what waits and close the connections. Reads that are still under way are cancelled."""
        for part in (self._durable, self._repeatable, self._bell):
            await asyncio.to_thread(part.stop)
        await self._readers.close()
        await asyncio.sleep(0)  # for those who are just being answered

    def _lane(self, address: str, *, synced: bool, threads: int) -> Lane:
        return Lane(
            address,
            synced=synced,
            threads=threads,
            written=lambda committed: self._from_thread(self._written, committed),
            died=lambda error: self._from_thread(self._break, error),
        )

    def _add(self, run: Callable[[Tx], T], lane: Lane) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        if self._fault is not None:
            future.set_exception(self._fault)
            return future
        coming, self._coming = self._coming, set()

        def announced(tx: Tx) -> T:
            result = run(tx)
            tx.signals.update(coming)
            return result

        lane.put(Work(announced if coming else run, future))
        return future

    def _from_thread(self, callback: Callable[[T], object], argument: T) -> None:
        with suppress(RuntimeError):  # the event loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(callback, argument)

    def _bell_died(self, error: BaseException) -> None:
        self._from_thread(partial(self._end, "a thread that hears and tells of work"), error)

    def _written(self, committed: Committed) -> None:
        deliver(committed.outcomes)
        self._set(committed.signals)
        self._bell.ring(committed.signals)

    def _set(self, topics: set[Signal]) -> None:
        for topic in topics:
            for event in self._listeners[topic]:
                event.set()

    def _break(self, error: BaseException) -> None:
        """Refuse all that waits and all that will come: a thread that writes is dead."""
        fault = self._end("a thread that writes", error)
        left = self._durable.left() + self._repeatable.left()
        deliver([(work.future, None, fault) for work in left])

    def _end(self, thread: str, error: BaseException) -> StoreUnavailable:
        """Refuse all that will come, because a thread is dead; give the reason."""
        if self._fault is None:
            self._fault = StoreUnavailable(f"{thread} has died: {error!r}")
            self._fault.__cause__ = translated(error) if isinstance(error, Exception) else error
        self.broken.set()
        return self._fault
