"""A discrete-event simulation: a clock, stations that serve, a log that is flushed for many at once.

What happens is written as activities, generators that yield each wait: `yield station.serve(seconds)`. The same seed
gives the same run. By hand: 180 lines, and no library is needed for them.
"""

import heapq
from collections import deque
from collections.abc import Callable, Generator
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

Resume = Callable[[], None]
Wait = Callable[[Resume], None]
Activity = Generator[Wait, None, None]


class Simulation:
    """The clock of one run, in seconds, and what is to happen when."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.random = Random(seed)  # noqa: S311 - guards nothing
        self._number = 0
        self._coming: list[tuple[float, int, Resume]] = []

    def after(self, seconds: float, happens: Resume) -> None:
        """Have something happen in so many seconds; of two at the same time the earlier added is first."""
        self._number += 1
        heapq.heappush(self._coming, (self.now + seconds, self._number, happens))

    def wait(self, seconds: float) -> Wait:
        """Let time pass."""
        return lambda resume: self.after(seconds, resume)

    def about(self, mean: float) -> float:
        """Draw seconds from the exponential distribution about a mean."""
        return self.random.expovariate(1 / mean) if mean > 0 else 0.0

    def start(self, activity: Activity) -> None:
        """Begin an activity now; it goes on as its waits end."""

        def resume() -> None:
            wait = next(activity, None)
            if wait is not None:
                wait(resume)

        resume()

    def run(self, until: float) -> None:
        """Let everything happen up to a time."""
        coming = self._coming
        while coming and coming[0][0] <= until:
            self.now, _, happens = heapq.heappop(coming)
            happens()
        self.now = until


class Station:
    """So many servers before one queue, first come, first served.

    With a `host` a service is done by a server of the host: so are threads that share a machine's processors.
    """

    def __init__(self, simulation: Simulation, servers: int, *, host: "Station | None" = None) -> None:
        self._simulation = simulation
        self._free = servers
        self._host = host
        self._queue: deque[tuple[float, float, Resume]] = deque()
        self.servers = servers
        self.busy = 0.0
        """Seconds of service begun so far, of all servers together."""
        self.served = 0
        self.stayed = 0.0
        """Seconds that those who left had spent here, waiting and being served."""

    @property
    def present(self) -> int:
        """How many wait or are served just now."""
        return len(self._queue) + self.servers - self._free

    def serve(self, seconds: float) -> Wait:
        """Wait for a server, and be served for so long."""
        return lambda resume: self._come(seconds, resume)

    def _come(self, seconds: float, resume: Resume) -> None:
        arrival = (self._simulation.now, seconds, resume)
        if self._free:
            self._begin(arrival)
        else:
            self._queue.append(arrival)

    def _begin(self, arrival: tuple[float, float, Resume]) -> None:
        self._free -= 1
        came, seconds, resume = arrival
        self.busy += seconds

        def done() -> None:
            self._free += 1
            self.served += 1
            self.stayed += self._simulation.now - came
            if self._queue:
                self._begin(self._queue.popleft())
            resume()

        if self._host is None:
            self._simulation.after(seconds, done)
        else:
            self._host.serve(seconds)(done)


class Places:
    """So many places, each held by one activity over whatever it waits for; `release` lets the next one in.

    One place is a lock.
    """

    def __init__(self, simulation: Simulation, places: int = 1) -> None:
        self._simulation = simulation
        self._free = places
        self._queue: deque[Resume] = deque()
        self._changed = 0.0
        self.places = places
        self._held = 0.0

    @property
    def busy(self) -> float:
        """Seconds that places were held so far, of all together."""
        now = self._simulation.now
        self._held += (self.places - self._free) * (now - self._changed)
        self._changed = now
        return self._held

    def acquire(self) -> Wait:
        """Wait for a place."""
        return self._come

    def _come(self, resume: Resume) -> None:
        if self._free:
            _ = self.busy
            self._free -= 1
            resume()
        else:
            self._queue.append(resume)

    def release(self) -> None:
        """Give the place to the next one."""
        if self._queue:
            self._simulation.after(0.0, self._queue.popleft())
        else:
            _ = self.busy
            self._free += 1


class Batches(Generic[T]):
    """Takes what has come together, as soon as what it took before is done: group commit.

    `take` is the activity that does it.
    """

    def __init__(self, simulation: Simulation, take: Callable[[list[T]], Activity]) -> None:
        self._simulation = simulation
        self._take = take
        self._waiting: list[tuple[T, Resume]] = []
        self._taking = False
        self.busy = 0.0
        """Seconds in which something was being done."""

    def add(self, piece: T) -> Wait:
        """Wait until a piece was done."""

        def come(resume: Resume) -> None:
            self._waiting.append((piece, resume))
            if not self._taking:
                self._taking = True
                self._simulation.start(self._until_empty())

        return come

    def _until_empty(self) -> Activity:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            began = self._simulation.now
            yield from self._take([piece for piece, _ in batch])
            self.busy += self._simulation.now - began
            for _, resume in batch:
                self._simulation.after(0.0, resume)
        self._taking = False
