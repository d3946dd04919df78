"""What processes of the simulated service do over their database: transactions, and looking for work.

Durable work is committed in groups by one connection of each process, claims alone by two; a claim holds its provider's
one row of budget until it commits; who waits is woken and looks, and has so much work in hand at once.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.service_times import Step
from bench.simulation import Activity, Batches, Places, Simulation, Station
from process.workers import GATHER_SECONDS


class Database:
    """One PostgreSQL: processors, a log that is flushed for many at once, and the way to it.

    `trip` and `flush` are seconds, `log_bytes` what its disk takes a second.
    """

    def __init__(
        self, simulation: Simulation, cores: Station, steps: Mapping[str, Step], *, trip: float, flush: float,
        log_bytes: float,
    ) -> None:  # fmt: skip
        self.simulation, self.cores, self.steps, self.trip = simulation, cores, steps, trip
        self.log: Batches[float] = Batches(simulation, self._flush)
        self.unsynced = 0.0
        """Bytes of the log that nobody waits for; they go with the next that somebody does."""
        self.looks = 0
        self._flush_seconds, self._log_bytes = flush, log_bytes

    def _flush(self, sizes: list[float]) -> Activity:
        size, self.unsynced = sum(sizes) + self.unsynced, 0.0
        yield self.simulation.wait(self.simulation.about(self._flush_seconds) + size / self._log_bytes)

    def commit(self, batch: list[Step]) -> Activity:
        """Commit a group of durable work."""
        for step in batch:
            yield self.simulation.wait(self.trip * step.trips)
            yield self.cores.serve(self.simulation.about(step.database))
        yield self.log.add(sum(step.logged for step in batch))


@dataclass(slots=True)
class Video:
    """When what happened to one video."""

    begun: float
    webhook: float = 0.0
    provider: int = 0


@dataclass(slots=True)
class Process:
    """One process: its event loop, and its connections for durable and for repeatable work."""

    loop: Station
    durable: Batches[Step]
    repeatable: Places


class Workers:
    """One process's workers of one kind for one provider: they look when woken, and have so much in hand at once."""

    def __init__(self, database: Database, process: Process, waiting: deque[Video], take: "Take") -> None:
        self._database = database
        self._process = process
        self._waiting = waiting
        self._take = take
        self._looking = self._again = False
        self.in_hand = 0

    def look(self) -> None:
        """Look for work, unless that is under way."""
        self._again = True
        if not self._looking and self.in_hand < self._take.at_once:
            self._looking = True
            self._database.simulation.start(self._look())

    def _look(self) -> Activity:
        simulation = self._database.simulation
        while self._again and self.in_hand < self._take.at_once:
            self._again = False
            began = simulation.now
            batch: list[Video] = []
            yield from self._claim(batch)
            for video in batch:
                self.in_hand += 1
                simulation.start(self._do(video))
            self._again = self._again or bool(self._waiting)
            if self.in_hand and simulation.now < began + GATHER_SECONDS:
                yield simulation.wait(began + GATHER_SECONDS - simulation.now)
        self._looking = False

    def _claim(self, batch: list[Video]) -> Activity:
        database, process, step, row = self._database, self._process, self._take.step, self._take.row
        database.looks += 1
        nothing = database.steps["nothing"]
        yield process.loop.serve(database.simulation.about(nothing.ours))
        yield process.repeatable.acquire()
        if row is not None:
            yield row.acquire()
        count = min(self._take.at_once - self.in_hand, len(self._waiting))
        batch += [self._waiting.popleft() for _ in range(count)]
        yield database.simulation.wait(database.trip * (step.trips if batch else nothing.trips))
        yield database.cores.serve(database.simulation.about(nothing.database + count * step.database))
        database.unsynced += count * step.logged
        if row is not None:
            row.release()
        process.repeatable.release()

    def _do(self, video: Video) -> Activity:
        yield self._process.loop.serve(self._database.simulation.about(self._take.step.ours))
        yield from self._take.work(self._process, video)
        self.in_hand -= 1
        if self._waiting:
            self.look()


@dataclass(frozen=True, slots=True)
class Take:
    """How work of one kind is taken: what a claim costs for each, how many at once, whose budget, and the work."""

    step: Step
    at_once: int
    row: Places | None
    work: Callable[[Process, Video], Activity]


@dataclass(slots=True)
class Kind:
    """Work of one kind: what waits for each provider, and who looks for it."""

    waiting: list[deque[Video]]
    workers: list[Workers] = field(default_factory=list)
    ringing: bool = False
