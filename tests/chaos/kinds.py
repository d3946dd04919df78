"""What a fault is."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.world import ChaosService

Make = Callable[[ChaosService, random.Random, float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault: its name, whom it hurts, how long it takes (seconds at full scale), and how it is made.

    No two that hurt the same are made at once.
    """

    name: str
    hurts: str
    seconds: float
    make: Make


def kind_in(kinds: list[Kind], name: str, hurts: str, seconds: float) -> Callable[[Make], Make]:
    """Add what it decorates to a list of kinds."""

    def keep(make: Make) -> Make:
        kinds.append(Kind(name, hurts, seconds, make))
        return make

    return keep
