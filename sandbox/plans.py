"""Choose what the next request meets: a queued plan, a marker it carries, or the weights."""

import random
import re
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

On = Literal["submit", "check", "credits"]
MARKER = re.compile(r"sandbox\s*[:=]\s*([a-z0-9-]*[a-z0-9])(?:[ +]x(\d{1,6}))?(?:[ +](\d{1,6}(?:\.\d{1,3})?)s)?")
REMEMBERED_MARKERS = 10_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What one request meets, and who said so."""

    name: str
    chosen_by: Literal["plan", "marker", "weights"]
    seconds: float | None = None
    """How long, or when: what it means depends on the behaviour."""
    render_seconds: float | None = None


@dataclass(slots=True)
class Entry:
    """A queued choice and how many requests it is still for."""

    choice: Choice
    left: int


class Plans:
    """The choices in force at one provider."""

    def __init__(self, names: Mapping[str, object], behaviour: str, *, seed: int) -> None:
        self._names = names
        self._queues: dict[On, deque[Entry]] = {"submit": deque(), "check": deque(), "credits": deque()}
        self._seen: OrderedDict[str, int] = OrderedDict()
        self.outage: str | None = None
        self.weigh({behaviour: 1.0}, seed)

    def weigh(self, weights: Mapping[str, float], seed: int) -> None:
        """Draw from these behaviours from now on. Raises ValueError naming what is wrong."""
        for name, weight in weights.items():
            if name not in self._names:
                raise ValueError(f"weights: there is no behaviour {name!r}; see GET /sandbox/behaviours")
            if weight < 0:
                raise ValueError(f"weights: {name} has a negative weight")
        if sum(weights.values()) <= 0:
            raise ValueError("weights: at least one must be above 0")
        self.weights = dict(weights)
        self._draws = random.Random(seed)  # noqa: S311  (repeatable on purpose)

    def queue(self, on: On, choices: list[Choice], count: int) -> None:
        """Apply these to the next requests of this kind, the whole list `count` times."""
        queue = self._queues[on]
        if len(choices) == 1:
            queue.append(Entry(choices[0], count))
            return
        for _ in range(count):
            queue.extend(Entry(choice, 1) for choice in choices)

    def clear(self) -> None:
        """Forget every queued choice."""
        for queue in self._queues.values():
            queue.clear()
        self._seen.clear()

    def next(self, on: On) -> Choice | None:
        """Take the next queued choice, if any."""
        queue = self._queues[on]
        if not queue:
            return None
        entry = queue[0]
        entry.left -= 1
        if entry.left <= 0:
            queue.popleft()
        return entry.choice

    def left(self) -> dict[str, list[dict[str, object]]]:
        """What is still queued."""
        return {
            on: [{"behaviour": entry.choice.name, "left": entry.left} for entry in queue]
            for on, queue in self._queues.items()
        }

    def marked(self, texts: tuple[str, ...], same: str) -> Choice | None:
        """Read the choice that a submission carries; `same` is what repeats of one submission share."""
        for text in texts:
            found = MARKER.search(text) if "sandbox" in text else None
            if found and found[1] in self._names:
                seconds = float(found[3]) if found[3] else None
                if found[2] and not self._again(same, int(found[2])):
                    return Choice("ok", "marker")
                return Choice(found[1], "marker", seconds)
        return None

    def drawn(self) -> Choice:
        """Draw from the weights."""
        if len(self.weights) == 1:
            return Choice(next(iter(self.weights)), "weights")
        [name] = self._draws.choices(list(self.weights), list(self.weights.values()))
        return Choice(name, "weights")

    def _again(self, same: str, times: int) -> bool:
        """Say whether this submission was met fewer than `times` times before."""
        seen = self._seen.get(same, 0)
        self._seen[same] = seen + 1
        if len(self._seen) > REMEMBERED_MARKERS:
            self._seen.popitem(last=False)
        return seen < times
