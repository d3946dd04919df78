"""Two transactions of two processes over one PostgreSQL, one inside the other's time."""

import threading
import time
from collections.abc import Callable
from typing import Any

from store.postgres import Session, WritingTx
from store.transaction import Tx
from tests.support.stores import transact

_WAIT_SECONDS = 20.0


class Two:
    """The first begins, the second runs as far as it can, the first commits, the second ends."""

    def __init__(self, first: Session, second: Session, watcher: Session) -> None:
        self._first, self._second, self._watcher = first, second, watcher
        self.committed = False
        """Whether the first one's end has begun."""

    def do(self, work: Callable[[Tx], Any]) -> Any:
        """Do something in a transaction of its own."""
        return transact(self._first, work)

    def interleave(self, first: Callable[[Tx], Any], second: Callable[[Tx], Any]) -> tuple[Any, Any]:
        """Give what both came to; an error of the second is raised."""
        answers: list[Any] = []

        def run() -> None:
            try:
                answers.append(transact(self._second, second))
            except BaseException as error:
                answers.append(error)

        tx = WritingTx(self._first, synced=True)
        try:
            begun = first(tx)
            tx.send()
            thread = threading.Thread(target=run)
            thread.start()
            self._until_it_waits_or_ended(thread)
        finally:
            self.committed = True
            tx.commit()
        thread.join(_WAIT_SECONDS)
        assert not thread.is_alive()
        if isinstance(answers[0], BaseException):
            raise answers[0]
        return begun, answers[0]

    def _until_it_waits_or_ended(self, thread: threading.Thread) -> None:
        pid = self._second.connection.info.backend_pid
        waits = "SELECT 1 FROM pg_stat_activity WHERE pid = ? AND wait_event_type = 'Lock'"
        give_up_at = time.monotonic() + _WAIT_SECONDS
        while thread.is_alive() and self._watcher.execute(waits, (pid,)).fetchone() is None:
            assert time.monotonic() < give_up_at
            time.sleep(0.002)
