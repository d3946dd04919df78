"""A world whose power may fail: of the store only what was synced to the disk is there afterwards."""

from collections.abc import Callable
from typing import Any

from store.database import StoreUnavailable
from store.group import GroupCommit, Work
from tests.simulation.world import SimulatedWorld

_FULL = 2
_DECISIONS = ("INSERT INTO outbox", "INSERT INTO credits", "INSERT INTO videos", "INSERT INTO webhooks")


class Unsynced(AssertionError):
    """A transaction that others rely on was committed without a sync."""


class PoweredWorld(SimulatedWorld):
    """Commits as the store's writer does, repeatable work without a sync, and keeps a copy of what was synced.

    The broker, the providers and what was already told to anybody are elsewhere: they keep their power.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._commits = GroupCommit(self.connection)
        self._said: list[str] = []
        self._on_disk = self.connection.serialize()

    def transact(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do a piece of work now, if the store is there."""
        return self._commit(work, args, kwargs, repeatable=False)

    def transact_repeatable(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do a piece of work that alone is not synced."""
        return self._commit(work, args, kwargs, repeatable=True)

    def cut_power(self) -> None:
        """End all processes at once, and forget whatever was not synced."""
        self.note("fate", "power cut")
        for process in self.processes:
            self.crash(process)
        if self.connection.serialize() != self._on_disk:
            self.note("fate", "something is forgotten")
        self.connection.deserialize(self._on_disk)

    def _commit(self, work: Callable[..., Any], args: Any, kwargs: Any, *, repeatable: bool) -> Any:
        if self.now < self.store_away_until and not self.calm:
            raise StoreUnavailable("the disk is full")
        changes = self.connection.total_changes
        self._said.clear()
        self.connection.set_trace_callback(self._said.append)
        try:
            piece = Work(lambda tx: work(tx, *args, **kwargs), None, repeatable=repeatable)  # type: ignore[arg-type]  # nobody waits
            [(_, result, _)] = self._commits.commit([piece]).outcomes
        finally:
            self.connection.set_trace_callback(None)
        if self.connection.total_changes == changes:
            return result  # a commit of nothing is nothing to sync
        if self.connection.execute("PRAGMA synchronous").fetchone()[0] == _FULL:
            self._on_disk = self.connection.serialize()
        else:
            self._insist_on_sync()
        return result

    def _insist_on_sync(self) -> None:
        """Raise `Unsynced` if what was just committed without a sync decides something."""
        committed = self._said[len(self._said) - self._said[::-1].index("BEGIN IMMEDIATE") :]
        if decided := [said for said in committed if said.startswith(_DECISIONS)]:
            raise Unsynced(f"committed without a sync: {decided}")
