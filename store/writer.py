"""The writer thread: it makes the group commits that are handed to it, and notices what other processes commit."""

import queue
import sqlite3
import threading
from collections.abc import Callable

from store import sqlite
from store.group import Committed, GroupCommit, Work

WATCH_SECONDS = 0.05
"""How often an idle process looks whether another one has committed."""

_LARGEST_GROUP = 2000


class Writer:
    """One thread over one connection. Its callbacks are called in that thread.

    `hold_back` is called before each group and may wait. `written` is given what came of each group, `changed` is
    called after another process's commit, and `died` is given the error if the thread ends before it was told to.
    """

    def __init__(
        self,
        commits: GroupCommit,
        *,
        hold_back: Callable[[], None],
        written: Callable[[Committed], None],
        changed: Callable[[], None],
        died: Callable[[BaseException], None],
    ) -> None:
        self._commits = commits
        self._hold_back = hold_back
        self._written = written
        self._changed = changed
        self._died = died
        self._groups: queue.SimpleQueue[list[Work] | None] = queue.SimpleQueue()
        self._in_hand: list[Work] = []
        self._seen = 0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, group: list[Work]) -> None:
        """Hand over a group; groups are committed in their order."""
        self._groups.put(group)

    def stop(self) -> None:
        """Commit what was handed over, and end. Blocks until then."""
        self._groups.put(None)
        self._thread.join()

    def left(self) -> list[Work]:
        """Give what a thread that died was handed and did not commit."""
        left, self._in_hand = self._in_hand, []
        while not self._groups.empty():
            left += self._groups.get() or []
        return left

    def _run(self) -> None:
        try:
            self._write_groups()
        except BaseException as error:  # whatever it was: somebody must know that nothing is written any more
            self._died(error)

    def _write_groups(self) -> None:
        self._seen = self._change_counter()
        stopping = False
        while not stopping:
            try:
                group = self._groups.get(timeout=WATCH_SECONDS)
            except queue.Empty:
                group = []
            if group is None:
                return
            self._in_hand = group
            stopping = self._join(group)
            if group:
                self._hold_back()
                self._written(self._commits.write(group))
            self._in_hand = []
            self._watch()

    def _join(self, group: list[Work]) -> bool:
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

    def _watch(self) -> None:
        counter = self._change_counter()
        if counter != self._seen:
            self._seen = counter
            self._changed()

    def _change_counter(self) -> int:
        try:
            return sqlite.change_counter(self._commits.connection)
        except sqlite3.Error:
            return self._seen
