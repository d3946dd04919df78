"""What a store is to the rooms, whichever database it is in, and how to open the one that an address names."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from store import sqlite
from store.errors import StoreUnavailable
from store.group import Observe
from store.pictures import OpenPicture
from store.sqlite_store import SqliteStore, sqlite_path
from store.transaction import Signal, Tx
from store.uploads import Upload

__all__ = ["PictureStore", "Store", "StoreUnavailable", "dialect_of", "is_postgres", "sqlite_path"]

P = ParamSpec("P")
T = TypeVar("T")

_POSTGRES = ("postgresql://", "postgres://")


class PictureStore(Protocol):
    """The uploaded pictures of one store."""

    async def keep(self, content_type: str, body: bytes) -> Upload:
        """Keep a picture, for a video that is about to be accepted. Raises `StoreUnavailable`."""

    def opened(self, video_id: str) -> AbstractAsyncContextManager[OpenPicture | None]:
        """Open the picture of a video; None where none was uploaded or it was dropped.

        Raises `PictureLost`, and `StoreUnavailable`.
        """

    async def read(self, video_id: str) -> tuple[Upload, bytes] | None:
        """Read the picture of a video whole, and check that it is what was uploaded. Raises as `opened` does."""

    async def remove(self, names: Sequence[str]) -> None:
        """Remove pictures that no video has. Raises `StoreUnavailable`."""

    async def remove_orphans(self) -> int:
        """Remove the pictures that have had no video for a while, as a crash leaves them; say how many."""


class Store(Protocol):
    """One database, shared by every process that opens it.

    `work` is always an ordinary function whose first parameter is the transaction. It cannot await, so no
    transaction is ever held open across a network call; it must have no effect but through the transaction,
    because a group that fails is run again one by one.
    """

    broken: asyncio.Event
    """Set when a thread of the store is dead. The process must end: see `raise_if_broken`."""

    @property
    def pictures(self) -> PictureStore:
        """The uploaded pictures."""

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Open `sqlite:///PATH` or `postgresql://…`, upgraded to this release's tables.

        Raises `StoreUnavailable`, `StoreTooNew`, or ValueError for an address of another form.
        """
        if is_postgres(url):
            from store.postgres_store import PostgresStore  # noqa: PLC0415 - its driver is loaded only where it is used

            return await PostgresStore.open(url)
        return await SqliteStore.open(url)

    @property
    def clock_is_shared(self) -> bool:
        """Whether `now` is by one clock for all machines, that of a database server."""

    def now(self) -> float:
        """Give the time, in Unix seconds, by the clock that decides what is due and leased in this store."""

    def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Run `work(tx, …)`: all of it happens and is durable, or none of it.

        Raises `StoreUnavailable`. Then nothing was changed, but for one case: a PostgreSQL server that is lost during
        the commit raises `store.postgres.CommitUnknown`, and whoever does the same again is safe either way.
        """

    def write_small(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Do the same for work of a few small rows."""

    def write_unsynced(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Do the same for brief work that whoever finds it undone does again, such as a claim: not synced.

        Where it decides something that others will see, `Tx.must_sync` has it synced all the same.
        """

    async def read(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(tx, …)` on a snapshot of what is committed. Raises `StoreUnavailable`."""

    async def read_small(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same for work that reads a few rows."""

    def listen(self, topic: Signal) -> asyncio.Event:
        """Give an event of the caller's own, set whenever any process may have made work of this kind."""

    def notify(self, topic: Signal) -> None:
        """Wake those who wait for a topic, for work that is added in this very turn."""

    def observe_commits(self, observe: Observe) -> None:
        """Report every group commit to a callback, in whichever thread it is made."""

    def raise_if_broken(self) -> None:
        """Raise `StoreUnavailable` if a thread is dead: every write from now on raises the same."""

    async def close(self) -> None:
        """Commit what waits and close. Reads that are still under way are ended."""


def dialect_of(url: str) -> dict[str, str]:
    """Give the words in which the database of an address differs from the other kind."""
    if not is_postgres(url):
        return sqlite.DIALECT
    from store import postgres  # noqa: PLC0415 - as above

    return postgres.DIALECT


def is_postgres(url: str) -> bool:
    """Say whether an address names a PostgreSQL database."""
    return url.startswith(_POSTGRES)
