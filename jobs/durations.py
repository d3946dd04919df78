"""Learn how long a provider's jobs take, and plan the checks that find their ends soonest for their number.

A check made g seconds after the last one finds an end g/2 seconds late on average. If jobs of age t end at the
rate h(t) (the hazard: the chance to end in the next second, for those still running), checks with local gaps g(t)
cost, over a job's life, the integral of S(t) * (c / g(t) + h(t) * g(t) / 2) dt, where S is the share still
running and c the price of one check in seconds of delay. For each t that sum is least at

    g(t) = sqrt(2 c / h(t))

so checks belong where ends are likely, and gaps are long before the shortest and after the usual duration. The
hazard changes within a gap, so the next check is put where the density of checks, sqrt(h / 2c), has added up to
one. Given the true hazard that costs 0 to 5 % more than dynamic programming over all plans. The rule is Keller's
("Optimum checking schedules for systems subject to random failure", Management Science 21, 1974), a continuous
form of Barlow, Hunter and Proschan ("Optimum checking procedures", 1963), and the square root is that of the
economic order quantity.

Durations are never seen, only intervals: an end lies between the last look that found the job running and the one
that found it over. The weight of one is spread over the interval in proportion to what is known so far: one step
of Turnbull's self-consistent estimate ("The empirical distribution function with arbitrarily grouped, censored and
truncated data", 1976) for each completion. A little of it goes where nothing is known, so that jobs which become
faster are noticed. Older weights fade, so that a change of pace is followed within some dozens of completions.

The hazard of a bin is the gamma-Poisson mean (ends + a * b) / (running + a): with few jobs still running it tends
to b, with many to what was seen. A large `a` wastes checks at ages at which nothing ever ended; a small one finds
out late that jobs became faster. The constants are the best compromise over five kinds of durations (`bench 12`).
"""

import math
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from struct import Struct

_RATIO = 1.05
_COUNT = 208
EDGES = (0.0, *(_RATIO**step for step in range(1, _COUNT + 1)))
"""The bounds of the bins in seconds: from 0, each 5 % above the one before, to 7 h."""

FADE = 0.985
"""What one more completion leaves of the older weights: the last 70 or so count."""

_ENOUGH = 3.0
"""The weight of completions from which on the plan is believed."""

_PRIOR_JOBS = 0.03
_PRIOR_HAZARD = 0.3
"""What is supposed before anything is seen: 0.3 ends for each e-fold of age, believed as much as 0.03 jobs."""

_UNKNOWN = 0.002
"""The weight that every bin has, beside what was learnt, when the end of a job is placed."""

_KERNEL = (0.25, 0.5, 0.25)
"""How an observation is spread over neighbouring bins, so that few of them already make a smooth picture."""

_NEGLIGIBLE = 1e-4

_STORED = Struct(f"<{1 + _COUNT}f")
"""How a plan is stored: the ratio of the bins' bounds, then their weights."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What has been learnt of one provider's durations: a weight for each bin."""

    weights: tuple[float, ...] = (0.0,) * _COUNT

    @classmethod
    def loads(cls, text: str) -> "Plan":
        """Read a stored plan; what another release stored in another form counts as nothing learnt."""
        raw = b64decode(text)
        if len(raw) != _STORED.size:
            return cls()
        ratio, *weights = _STORED.unpack(raw)
        return cls(tuple(weights)) if math.isclose(ratio, _RATIO, rel_tol=1e-6) else cls()

    def dumps(self) -> str:
        """Write the plan for storing, in Base64: every end that is found is learnt, so this has to be quick."""
        return b64encode(_STORED.pack(_RATIO, *self.weights)).decode()

    @property
    def learnt(self) -> bool:
        """Whether enough completions were seen to rely on."""
        return sum(self.weights) >= _ENOUGH

    def quantile(self, share: float) -> float:
        """Say after how many seconds a share of the jobs is over; within a bin they are taken as evenly spread."""
        wanted = share * sum(self.weights)
        for index, weight in enumerate(self.weights):
            if wanted <= weight:
                low, high = EDGES[index], EDGES[index + 1]
                return low + (high - low) * (wanted / weight if weight else 1.0)
            wanted -= weight
        return EDGES[-1]

    def seen(self, unfinished_at: float, finished_at: float) -> "Plan":
        """Learn that a job was unfinished at one age and over at another, in seconds; `inf` if it never ended."""
        weights = [0.0, *[weight * FADE if weight > _NEGLIGIBLE else 0.0 for weight in self.weights], 0.0]
        before, within, after = _KERNEL
        for index, share in self._shares(unfinished_at, min(finished_at, EDGES[-1])):
            weights[index] += share * before
            weights[index + 1] += share * within
            weights[index + 2] += share * after
        first, *inner, last = weights  # what spilt over the ends goes back into the outermost bins
        inner[0] += first
        inner[-1] += last
        return Plan(tuple(inner))

    def gap(self, age: float, *, price: float, longest: float) -> float:
        """Say how many seconds after `age` to check next, at most `longest`; `price` is a check's, in seconds."""
        at, due = age, 0.0
        for end, hazard in self._hazards(age):
            density = math.sqrt(hazard / (2 * price))
            if due + density * (end - at) >= 1:
                return min(at + (1 - due) / density - age, longest)
            due += density * (end - at)
            at = end
            if at - age >= longest:
                break
        return longest

    def _hazards(self, age: float) -> Iterator[tuple[float, float]]:
        """Give the end of each bin from an age on, and the hazard in it."""
        first = _bin(age)
        running = list(accumulate(reversed(self.weights[first:])))
        for index, still in zip(range(first, _COUNT), reversed(running), strict=True):
            low, high, ends = EDGES[index], EDGES[index + 1], self.weights[index]
            supposed = _PRIOR_JOBS * _PRIOR_HAZARD * (high - low) / high
            yield high, (ends + supposed) / (still - ends / 2 + _PRIOR_JOBS) / (high - low)

    def _shares(self, low: float, high: float) -> list[tuple[int, float]]:
        """Spread one end over the bins between two ages, as what is known suggests."""
        first, last = _bin(low), _bin(high)
        if last <= first:
            return [(first, 1.0)]
        parts = [weight + _UNKNOWN for weight in self.weights[first : last + 1]]
        parts[0] *= (EDGES[first + 1] - low) / (EDGES[first + 1] - EDGES[first])
        parts[-1] *= (high - EDGES[last]) / (EDGES[last + 1] - EDGES[last])
        total = sum(parts)
        return [(index, part / total) for index, part in enumerate(parts, start=first)]


def _bin(age: float) -> int:
    return min(max(bisect_right(EDGES, age) - 1, 0), _COUNT - 1)
