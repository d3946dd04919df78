"""The processes of a simulated service: what each has in hand, and what it has seen. A crash leaves nothing of it."""

from collections.abc import Callable

from jobs.outage import Places
from jobs.overdue import Watch
from jobs.sightings import Sightings
from process.clock import ClockWatch
from publisher.lease import Turn
from tests.simulation.peers import SIMULATED
from tests.simulation.steps import Task

RELAY_LEASE = 5.0


class Process:
    """One process of one role; `clock` makes its watch of the clock, from its start on."""

    def __init__(self, role: str, number: int, clock: Callable[[], ClockWatch]) -> None:
        self.role = role
        self.lives = 0
        self.name = f"{role}-{number}"
        self.tasks: dict[str, Task] = {}
        self.frozen_until = 0.0
        self.renewed_at = 0.0
        self._clock = clock
        self.start()

    @property
    def owner(self) -> str:
        """Name the owner of its leases, another one after each start."""
        return f"{self.name}.{self.lives}"

    def start(self) -> None:
        """Begin a life without anything that the one before had seen."""
        self.lives += 1
        self.stopping = False
        self.watch = Watch()
        self.sightings = {name: Sightings() for name in SIMULATED}
        self.clock = self._clock()
        self.places: Places = {}
        self.turn = Turn(self.owner, RELAY_LEASE)
