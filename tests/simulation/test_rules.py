"""The same world, led by hypothesis: it searches for trouble on purpose, and shrinks what it finds."""

from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.simulation.histories import advance, pass_time, settle, story
from tests.simulation.invariants import check_all
from tests.simulation.outsiders import forge
from tests.simulation.virtual import virtual
from tests.simulation.world import SimulatedWorld

which = st.integers(0, 5)


class Trouble(RuleBasedStateMachine):
    """Anything may happen at any time; in the end all must be well."""

    def __init__(self) -> None:
        super().__init__()
        self.world: SimulatedWorld | None = None
        self._virtual = ExitStack()

    @property
    def here(self) -> SimulatedWorld:
        """Give the world, which is there from the first rule on."""
        assert self.world is not None
        return self.world

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        """Let there be a world with one request in it."""
        self.world = SimulatedWorld(seed)
        self._virtual.enter_context(virtual(self.world))
        self.world.request()

    @precondition(lambda self: len(self.here.accepted) < 3)
    @rule()
    def another_request(self) -> None:
        self.here.request()

    @rule(number=which)
    def work(self, number: int) -> None:
        self.here.work(self.here.processes[number])

    @rule(times=st.integers(1, 6))
    def go_on(self, times: int) -> None:
        for _ in range(times):
            self.here.happen()
            advance(self.here)

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 11.0, 45.0]))
    def wait(self, seconds: float) -> None:
        pass_time(self.here, seconds)
        self.here.happen()

    @rule(number=which)
    def crash(self, number: int) -> None:
        self.here.crash(self.here.processes[number])

    @rule(number=which)
    def stop(self, number: int) -> None:
        self.here.stop(self.here.processes[number])

    @rule(number=which, seconds=st.sampled_from([1.0, 15.0]))
    def freeze(self, number: int, seconds: float) -> None:
        self.here.processes[number].frozen_until = self.here.now + seconds

    @rule()
    def forge(self) -> None:
        forge(self.here)

    @rule(seconds=st.sampled_from([0.5, 5.0]), broker=st.booleans())
    def lose_the_ground(self, seconds: float, *, broker: bool) -> None:
        if broker:
            self.here.broker.away_until = self.here.now + seconds
        else:
            self.here.store_away_until = self.here.now + seconds

    def teardown(self) -> None:
        """Let all come to rest, and hold it against the invariants."""
        with self._virtual:
            if self.world is None:
                return
            try:
                settle(self.world)
                check_all(self.world)
            except Exception as error:
                error.add_note(story(self.world))
                raise


TestTrouble = Trouble.TestCase
TestTrouble.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
