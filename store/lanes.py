"""The threads that write to PostgreSQL: durable work in groups, and work that is repeatable alone.

Durable work is new or held by a lease, so groups of it seldom want the same rows. A claim holds what all want, such
as a provider's budget: merged with other work it would make groups wait for each other in a circle.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter

import psycopg

from store.group import Committed, Observe, Outcome, Work
from store.postgres import CommitUnknown, Session, WritingTx, is_again, translated

_TRIES = 5
_LARGEST_GROUP = 200


class Lane:
    """Threads that commit what is put into one queue, each over a connection of its own.

    `synced` work is grouped and durable when its callers are answered. `written` is given what came of it, in a
    thread of ours; `died` is given the error if a thread ends before it was told to.
    """

    def __init__(
        self,
        address: str,
        *,
        synced: bool,
        threads: int,
        written: Callable[[Committed], None],
        died: Callable[[BaseException], None],
    ) -> None:
        self._synced = synced
        self._written = written
        self._died = died
        self.observe: Observe = lambda _commit, _waited: None
        self._waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._sessions = [Session(address, synced=synced) for _ in range(threads)]
        self._in_hand: dict[Session, list[Work]] = {}
        """What the threads that died had begun."""
        name = "store-durable" if synced else "store-repeatable"
        self._threads = [
            threading.Thread(target=self._run, args=(session,), name=name, daemon=True) for session in self._sessions
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def put(self, work: Work) -> None:
        """Hand over a piece of work."""
        self._waiting.put(work)

    def stop(self) -> None:
        """Commit what was handed over, and end. Blocks until then."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        for session in self._sessions:
            session.close()

    def left(self) -> list[Work]:
        """Give what threads that died had begun, and what nobody has; one that lives answers what it has begun."""
        left = [work for works in self._in_hand.values() for work in works]
        with suppress(queue.Empty):
            while True:
                work = self._waiting.get_nowait()
                left += [work] if work else []
        return left

    def _run(self, session: Session) -> None:
        group: list[Work] = []
        try:
            while group := self._next_group():
                began = perf_counter()
                self._written(commit(session, group, synced=self._synced))
                self.observe(perf_counter() - began, began - group[0].added_at)
        except BaseException as error:  # whatever it was: somebody must know that nothing is written any more
            self._in_hand[session] = group
            self._died(error)

    def _next_group(self) -> list[Work]:
        """Wait for work; an empty group is the end."""
        first = self._waiting.get()
        group = [first] if first else []
        while group and self._synced and len(group) < _LARGEST_GROUP:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._waiting.put(None)
                break
            group.append(more)
        return group


def commit(session: Session, group: list[Work], *, synced: bool) -> Committed:
    """Commit a group; where that fails, each piece of it alone, and again if only others stood in its way."""
    try:
        return _transact(session, group, synced=synced)
    except CommitUnknown as error:  # to do it again is its callers' to decide: it may be stored
        return _refused(group, error)
    except Exception as error:
        if len(group) == 1 and not _worth_another_try(session, error):
            return _refused(group, error)
        if session.lost and not _connected(session):
            return _refused(group, error)
    together = Committed()
    for work in group:
        done = _alone(session, work, synced=synced)
        together.outcomes += done.outcomes
        together.signals |= done.signals
    return together


def _alone(session: Session, work: Work, *, synced: bool) -> Committed:
    tries = 0
    while True:
        tries += 1
        try:
            return _transact(session, [work], synced=synced)
        except Exception as error:
            if tries == _TRIES or not _worth_another_try(session, error):
                return _refused([work], error)


def _worth_another_try(session: Session, error: Exception) -> bool:
    """Say whether the same piece can succeed now. A commit whose answer was lost is its caller's to judge."""
    return is_again(error) or (isinstance(error, psycopg.OperationalError) and session.lost)


def _connected(session: Session) -> bool:
    try:
        return not session.connection.closed
    except psycopg.Error:
        return False


def _transact(session: Session, group: list[Work], *, synced: bool) -> Committed:
    try:
        tx = WritingTx(session, synced=synced)
        outcomes = [_run(tx, work) for work in group]
        tx.commit()
    except BaseException:
        session.rollback()
        raise
    return Committed(outcomes, tx.signals)


def _run(tx: WritingTx, work: Work) -> Outcome:
    tx.next_piece()
    return work.future, work.run(tx), None


def _refused(group: list[Work], error: Exception) -> Committed:
    return Committed([(work.future, None, translated(error)) for work in group])
