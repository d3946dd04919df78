"""The relay's lease is held by one process at a time and by some process soon, whatever is done to the wall clock."""

from dataclasses import dataclass, field

import pytest

from publisher.lease import Turn
from store import leases
from tests.support.job_scenario import JobScenario

SECONDS = 5.0
STEPS = [0.0, 11.0, -11.0, 3600.0, -3600.0]


@dataclass
class Publisher:
    """A process that asks for the lease each second."""

    desk: JobScenario
    owner: str
    even: float = 0.0
    turn: Turn = field(init=False)

    def __post_init__(self) -> None:
        self.turn = Turn(self.owner, SECONDS)

    def ask(self, *, at: float) -> bool:
        lapsed = self.turn.lapsed(at=at)
        holder = self.desk.do(
            leases.acquire, "relay", owner=self.owner, now=self.desk.now, seconds=SECONDS, lapsed=lapsed
        )
        self.turn.asked(holder, began=at, at=at)
        return self.turn.held(at=at)


def publishers() -> tuple[Publisher, Publisher]:
    desk = JobScenario()
    return Publisher(desk, "one"), Publisher(desk, "other")


@pytest.fixture
def two() -> tuple[Publisher, Publisher]:
    return publishers()


@pytest.mark.parametrize("step", STEPS)
def test_who_renews_it_keeps_it_through_a_step(two: tuple[Publisher, Publisher], step: float) -> None:
    one, other = two
    for second in range(30):
        if second == 10:
            one.desk.now += step
        assert one.ask(at=second)
        assert not other.ask(at=second)
        one.desk.now += 1


@pytest.mark.parametrize("step", STEPS)
def test_it_passes_on_when_its_holder_is_dead_and_not_before_the_holder_knows(
    two: tuple[Publisher, Publisher], step: float
) -> None:
    one, other = two
    assert one.ask(at=0.0)
    other.ask(at=0.9)
    one.desk.now += step
    taken = next(at for at in (1.0 + 0.1 * tenth for tenth in range(100)) if other.ask(at=at))
    assert not one.turn.held(at=taken)
    assert taken < 0.9 + SECONDS + 0.2
    assert not one.ask(at=taken)


def test_a_renewal_at_the_same_time_of_a_clock_that_was_put_back_counts(two: tuple[Publisher, Publisher]) -> None:
    one, other = two
    one.ask(at=0.0)
    for second in range(1, 20):
        other.ask(at=second)
        assert one.ask(at=second)
        assert not other.turn.held(at=second)


def test_one_that_stood_still_longer_than_the_lease_does_not_hold_it(two: tuple[Publisher, Publisher]) -> None:
    one, _ = two
    assert one.ask(at=0.0)
    assert not one.turn.held(at=SECONDS)


def test_what_is_given_back_is_taken_at_once(two: tuple[Publisher, Publisher]) -> None:
    one, other = two
    one.ask(at=0.0)
    assert not other.ask(at=1.0)
    one.desk.do(leases.release, "relay", owner="one")
    assert other.ask(at=1.1)
