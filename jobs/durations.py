"""Learn how long a provider's jobs take, and plan the checks that find their ends soonest for their number.

A check that is made g seconds after the last one finds an end on average g/2 seconds late. If jobs of age t end at
the rate h(t) (the hazard: the chance to end in the next second, for those that have not yet), then checking
with local gaps g(t) costs, over a job's life, the integral of S(t) * (c/g(t) + f(t)/S(t) * g(t)/2) dt, where S is
the share still running, f the density of ends and c the price of one check in seconds of delay. For each t the
sum is least at

    g(t) = sqrt(2 c / h(t))

so checks belong where ends are likely, and the gaps are long before the shortest and after the usual duration.
(The same square-root rule as in Barlow, Hunter and Proschan, "Optimum checking procedures", 1963, and as the
economic order quantity.) Because h changes within a gap, the next check is put where the density of checks
sqrt(h / 2c) has added up to one.

Durations are learnt from intervals: an end lies between the last look that found the job unfinished and the one
that found it over. The weight of one is spread over that interval as what is known so far suggests, and all older
weights fade, so that a change of pace is followed within some dozens of completions.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

_SHORTEST = 0.05
_RATIO = 1.12
_COUNT = 116
EDGES = tuple(_SHORTEST * _RATIO**step for step in range(_COUNT + 1))
"""The bounds of the bins in seconds, from 0.05 s to more than 7 h, each 12 % above the one before."""

FADE = 0.96
"""What one more completion leaves of the older weights: the last 25 or so count."""

_ENOUGH = 3.0
"""The weight of completions from which on the plan is believed."""

_LEAST_HAZARD = 0.1
"""The share of running jobs that is supposed to end per e-fold of age even where none ever did."""

_KERNEL = (0.15, 0.2, 0.3, 0.2, 0.15)
"""How an observation is spread over neighbouring bins, so that few of them already make a smooth picture."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What has been learnt of one provider's durations: a weight for each bin."""

    weights: tuple[float, ...] = (0.0,) * _COUNT

    @classmethod
    def loads(cls, text: str) -> "Plan":
        """Read a stored plan; one of another shape counts as nothing learnt."""
        weights = json.loads(text)
        return cls(tuple(weights)) if len(weights) == _COUNT else cls()

    def dumps(self) -> str:
        """Write the plan for storing."""
        return json.dumps([round(weight, 5) for weight in self.weights], separators=(",", ":"))

    @property
    def learnt(self) -> bool:
        """Whether enough completions were seen to rely on."""
        return sum(self.weights) >= _ENOUGH

    def seen(self, unfinished_at: float, finished_at: float) -> "Plan":
        """Learn that a job was unfinished at one age and over at another, in seconds."""
        shares = self._shares(unfinished_at, max(finished_at, unfinished_at))
        faded = [weight * FADE for weight in self.weights]
        for index, share in shares:
            for offset, part in enumerate(_KERNEL, start=-2):
                faded[min(max(index + offset, 0), _COUNT - 1)] += share * part
        return Plan(tuple(faded))

    def gap(self, age: float, *, price: float, longest: float) -> float:
        """Say how many seconds after `age` to check next, at most `longest`; `price` is that of one check in seconds.

        The density of checks is added up over the bins until it reaches one.
        """
        survivors = self._survivors()
        scale = 1 / math.sqrt(2 * price)
        at, due = age, 0.0
        for index in range(_bin(age), _COUNT):
            rate = scale * math.sqrt(self._hazard(index, survivors))
            width = EDGES[index + 1] - at
            if due + width * rate >= 1 or EDGES[index + 1] - age >= longest:
                return min(at + (1 - due) / rate - age, longest)
            due += width * rate
            at = EDGES[index + 1]
        return longest

    def _hazard(self, index: int, survivors: Sequence[float]) -> float:
        low, high = EDGES[index], EDGES[index + 1]
        least = _LEAST_HAZARD / high
        running = survivors[index + 1] + self.weights[index] / 2
        if running <= 0:
            return least
        return max(self.weights[index] / (running * (high - low)), least)

    def _survivors(self) -> list[float]:
        survivors = [0.0] * (_COUNT + 1)
        for index in range(_COUNT - 1, -1, -1):
            survivors[index] = survivors[index + 1] + self.weights[index]
        return survivors

    def _shares(self, low: float, high: float) -> list[tuple[int, float]]:
        """Spread one observation over the bins between two ages, as what is known suggests."""
        first, last = _bin(low), _bin(high)
        parts = [(index, (self.weights[index] + 0.01) * _overlap(index, low, high)) for index in range(first, last + 1)]
        total = sum(part for _, part in parts)
        if total <= 0:
            return [(last, 1.0)]
        return [(index, part / total) for index, part in parts]


def _bin(age: float) -> int:
    return min(max(bisect_right(EDGES, age) - 1, 0), _COUNT - 1)


def _overlap(index: int, low: float, high: float) -> float:
    """Say which share of a bin lies between two ages."""
    inside = min(high, EDGES[index + 1]) - max(low, EDGES[index])
    return max(inside, 0.0) / (EDGES[index + 1] - EDGES[index])
