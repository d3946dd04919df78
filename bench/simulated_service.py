"""The whole service over one PostgreSQL, simulated: each role's processes, transactions, the log, budgets, and waits.

It follows what the code does, with the code's own numbers of jobs in hand: whoever waits is woken by NOTIFY and looks;
one publisher relays, a window at a time; pollers sweep and erase what is old.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bench.service_times import ERASED_VIDEOS, ERASURE, SWEEP, SWEPT_ROWS, Step
from bench.simulated_database import Database, Kind, Process, Take, Video, Workers
from bench.simulation import Activity, Batches, Places, Resume, Simulation, Station
from generator.run import IN_FLIGHT as SUBMISSIONS_AT_ONCE
from poller.run import IN_FLIGHT as CHECKS_AT_ONCE
from publisher.timing import TIMING

BELL_SECONDS = 0.001
"""From a commit until other processes have heard of it."""

ERASING_PAUSE = 0.05
"""Between two erasures of one poller."""

ROWS_PER_EVENT = 1.5
"""Old rows that are swept for each event: both bodies of a video's two events, and an entry of credits."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a service is made of; `machine` has all of it, PostgreSQL too, share one machine's processors."""

    receivers: int = 1
    generators: int = 1
    pollers: int = 1
    database_cores: int = 4
    providers: int = 6
    machine: int | None = None
    trip: float = 0.0003
    flush: float = 0.001
    log_bytes: float = 400e6
    submission: float = 0.3
    check: float = 0.1
    render: float = 0.5
    confirm: float = 0.001
    cleaning: bool = True
    relays: bool = True
    """Whether the one publisher takes its time; without it its limit is left out, to see what comes next."""


class Service:
    """One service over one database; `ended` has each video's seconds, from request and from webhook to event."""

    def __init__(self, simulation: Simulation, shape: Shape, steps: Mapping[str, Step]) -> None:
        self.simulation, self.shape, self.steps = simulation, shape, steps
        self._machine = Station(simulation, shape.machine) if shape.machine else None
        cores = Station(simulation, shape.machine or shape.database_cores, host=self._machine)
        self.database = Database(
            simulation, cores, steps, trip=shape.trip, flush=shape.flush, log_bytes=shape.log_bytes
        )
        self.budgets = [Places(simulation) for _ in range(shape.providers)]
        self.receivers = [self._process() for _ in range(shape.receivers)]
        self.generators = [self._process() for _ in range(shape.generators)]
        self.pollers = [self._process() for _ in range(shape.pollers)]
        self.publisher = self._process()
        self.begun = 0
        self.old = {"sweeps": 0.0, "erasures": 0.0}
        self.ended: list[tuple[float, float, float]] = []
        self._outbox: deque[Video | None] = deque()
        self._relaying = False
        self._begin()

    def _begin(self) -> None:
        steps, rows = self.steps, self.budgets
        self.routing = self._kind(self.generators, 1, lambda _: Take(steps["route"], 100, None, self._route))
        self.submitting = self._kind(
            self.generators,
            self.shape.providers,
            lambda number: Take(steps["claim"], SUBMISSIONS_AT_ONCE, rows[number], self._submit),
        )
        self.checking = self._kind(
            self.pollers,
            self.shape.providers,
            lambda number: Take(steps["look"], CHECKS_AT_ONCE, rows[number], self._check),
        )
        if self.shape.cleaning:
            for poller in self.pollers:
                self.simulation.start(self._clean(poller, "sweeps", SWEEP, SWEPT_ROWS, 0.0))
                self.simulation.start(self._clean(poller, "erasures", ERASURE, ERASED_VIDEOS, ERASING_PAUSE))

    def _process(self) -> Process:
        simulation = self.simulation
        loop = Station(simulation, 1, host=self._machine)
        return Process(loop, Batches(simulation, self.database.commit), Places(simulation, 2))

    def _kind(self, processes: list[Process], providers: int, take: Callable[[int], Take]) -> Kind:
        kind = Kind([deque() for _ in range(providers)])
        for number, waiting in enumerate(kind.waiting):
            kind.workers += [Workers(self.database, process, waiting, take(number)) for process in processes]
        return kind

    def _add(self, kind: Kind, number: int, video: Video) -> None:
        kind.waiting[number].append(video)
        if not kind.ringing:
            kind.ringing = True
            self.simulation.after(BELL_SECONDS, partial(self._ring, kind))

    @staticmethod
    def _ring(kind: Kind) -> None:
        kind.ringing = False
        for workers in kind.workers:
            workers.look()

    def _does(self, process: Process, name: str, part: float = 1.0) -> Callable[[Resume], None]:
        return process.loop.serve(self.simulation.about(part * self.steps[name].ours))

    def request(self) -> Activity:
        """Ask for one video, which goes all its way."""
        self.begun += 1
        video = Video(self.simulation.now, provider=self.simulation.random.randrange(self.shape.providers))
        receiver = self.simulation.random.choice(self.receivers)
        yield self._does(receiver, "accept")
        yield receiver.durable.add(self.steps["accept"])
        self._add(self.routing, 0, video)

    def _route(self, process: Process, video: Video) -> Activity:  # noqa: ARG002 - as all work is called
        self._add(self.submitting, video.provider, video)
        yield self.simulation.wait(0.0)

    def _submit(self, process: Process, video: Video) -> Activity:
        yield self._does(process, "send")
        yield process.durable.add(self.steps["send"])
        yield self.simulation.wait(self.simulation.about(self.shape.submission))
        self.simulation.start(self._made(video))
        yield self._does(process, "accepted")
        yield process.durable.add(self.steps["accepted"])
        self._announce(None)

    def _made(self, video: Video) -> Activity:
        yield self.simulation.wait(self.simulation.about(self.shape.render))
        receiver = self.simulation.random.choice(self.receivers)
        video.webhook = self.simulation.now
        yield self._does(receiver, "webhook")
        yield receiver.durable.add(self.steps["webhook"])
        self._add(self.checking, video.provider, video)

    def _check(self, process: Process, video: Video) -> Activity:
        yield self._does(process, "settle", 0.5)
        yield self.simulation.wait(self.simulation.about(self.shape.check))
        yield self._does(process, "settle", 0.5)
        yield process.durable.add(self.steps["settle"])
        self._announce(video)

    def _announce(self, ended: Video | None) -> None:
        self._outbox.append(ended)
        if not self._relaying:
            self._relaying = True
            self.simulation.after(BELL_SECONDS, lambda: self.simulation.start(self._relay()))

    def _relay(self) -> Activity:
        simulation, step, window_cost = self.simulation, self.steps["relay"], self.steps["window"]
        while self._outbox:
            window = [self._outbox.popleft() for _ in range(min(TIMING.window, len(self._outbox)))]
            began = simulation.now
            if self.shape.relays:
                yield self.publisher.loop.serve(window_cost.ours + len(window) * step.ours)
            yield simulation.wait(self.shape.confirm)
            for video in window:
                if video is not None:
                    now = simulation.now
                    self.ended.append((now, now - video.begun, now - video.webhook))
            self.old["sweeps"] += ROWS_PER_EVENT * len(window)
            self.old["erasures"] += 0.5 * len(window)
            if simulation.now < began + TIMING.gather:
                yield simulation.wait(began + TIMING.gather - simulation.now)
            yield simulation.wait(self.shape.trip * window_cost.trips)
            yield self.database.cores.serve(window_cost.database + len(window) * step.database)
            self.database.unsynced += len(window) * step.logged
        self._relaying = False

    def _clean(self, poller: Process, what: str, step: Step, size: int, pause: float) -> Activity:
        """Sweep or erase as much as has grown old: in the long run as much as is made."""
        while True:
            if self.old[what] < size:
                yield self.simulation.wait(0.1)
                continue
            self.old[what] -= size
            yield poller.loop.serve(self.simulation.about(step.ours))
            yield poller.durable.add(step)
            if pause:
                yield self.simulation.wait(pause)
