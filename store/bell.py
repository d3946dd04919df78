"""Wake other processes through PostgreSQL: LISTEN and NOTIFY, outside the transactions that give them work.

A NOTIFY inside a commit makes all commits that notify queue for one lock. So it is sent afterwards, over a connection
of its own, and may be lost: everybody looks at the store once a second all the same.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg

from store.postgres import Session
from store.server_clock import ServerClock
from store.transaction import Signal, Tx

_CHANNEL = "reelbus"
_HEAR_SECONDS = 0.5
_AGAIN_SECONDS = 1.0
_BETWEEN_SECONDS = 0.005
"""Between two tellings: each one wakes a thread of every process, our own with them."""


class Bell:
    """Two threads: one tells other processes of topics, one hears of theirs and calls `heard` with them.

    The one that hears looks at the server's clock too. `died` is given the error, in a thread of ours, if one ends
    before it was told to.
    """

    def __init__(
        self,
        address: str,
        clock: ServerClock,
        *,
        heard: Callable[[set[Signal]], None],
        died: Callable[[BaseException], None],
    ) -> None:
        self._hearing, self._telling = Session(address), Session(address)
        self._heard, self._died, self._clock = heard, died, clock
        self._topics: queue.SimpleQueue[set[Signal] | None] = queue.SimpleQueue()
        self._own: set[int] = set()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(run,), name=name, daemon=True)
            for run, name in ((self._listen, "store-listen"), (self._notify, "store-notify"))
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def ring(self, topics: set[Signal]) -> None:
        """Tell other processes that there is work of these kinds."""
        if topics:
            self._topics.put(topics)

    def stop(self) -> None:
        """End the threads and close their connections. Blocks until then."""
        self._stopping.set()
        self._topics.put(None)
        for thread in self._threads:
            thread.join()
        for session in (self._hearing, self._telling):
            session.close()

    def _run(self, steps: Callable[[], None]) -> None:
        try:
            steps()
        except BaseException as error:  # whatever it was: others would be told late, and the clock be wrong for good
            self._died(error)

    def _notify(self) -> None:
        while (topics := self._gathered()) is not None:
            try:
                self._own.add(self._telling.connection.info.backend_pid)
                self._telling.execute("SELECT pg_notify(?, ?)", (_CHANNEL, " ".join(sorted(topics))))
                self._stopping.wait(_BETWEEN_SECONDS)
            except psycopg.Error:  # the look finds what nobody was told of
                self._telling.close()
                self._stopping.wait(_AGAIN_SECONDS)
        with suppress(psycopg.Error):
            if not self._telling.lost:
                self._telling.execute("SELECT pg_notify(?, '')", (_CHANNEL,))

    def _gathered(self) -> set[Signal] | None:
        """Wait for topics, and join all that came meanwhile; None is the end."""
        topics = self._topics.get()
        while topics is not None and not self._topics.empty():
            more = self._topics.get()
            if more is None:
                return None
            topics = topics | more
        return topics

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._hearing.lost:
                    self._hearing.execute("SELECT 1")  # connects; whoever listened through a pooler would not be told
                    if not self._hearing.pooled:
                        self._hearing.execute(f"LISTEN {_CHANNEL}")
                    self._heard(set(Signal))  # what was told while nobody listened
                    self._clock.look(Tx(self._hearing))
                for notice in self._hearing.connection.notifies(timeout=_HEAR_SECONDS):
                    if self._stopping.is_set():
                        return
                    if notice.pid not in self._own:
                        known = set(notice.payload.split()) & set(Signal)
                        self._heard({Signal(topic) for topic in known})
                if self._clock.due:
                    self._clock.look(Tx(self._hearing))
            except psycopg.Error:
                self._hearing.close()
                self._stopping.wait(_AGAIN_SECONDS)
