"""What was measured, as ratios to what it is compared with, and whether the goals hold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


def quantile(values: Sequence[float], part: float) -> float:
    """Give the value below which a part of some values lies; not a number where there are none."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else math.nan


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity of one goal: the value of every round, and the bounds that it must or should keep.

    `at_most` says that less is better. Without bounds a row only tells.
    """

    goal: str
    quantity: str
    rounds: Sequence[float]
    must: float | None = None
    stretch: float | None = None
    at_most: bool = False
    unit: str = ""
    detail: dict[str, float] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    def _keeps(self, bound: float | None) -> bool | None:
        if bound is None:
            return None
        return self.value <= bound if self.at_most else self.value >= bound

    @property
    def verdict(self) -> str:
        """Say how far the goal is reached."""
        if self._keeps(self.stretch):
            return "stretch"
        return {True: "must", False: "MISSED", None: ""}[self._keeps(self.must)]

    def document(self) -> dict[str, object]:
        """Give the row for the JSON file."""
        return {
            "goal": self.goal,
            "quantity": self.quantity,
            "value": round(self.value, 4),
            "min": round(min(self.rounds), 4),
            "max": round(max(self.rounds), 4),
            "rounds": [round(value, 4) for value in self.rounds],
            "unit": self.unit,
            "must": self.must,
            "stretch": self.stretch,
            "at_most": self.at_most,
            "verdict": self.verdict,
            "detail": {name: round(value, 6) for name, value in self.detail.items()},
        }


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide each round's value by the median of what it is compared with."""
    middle = median(theirs)
    return [value / middle for value in ours]


def table(rows: Sequence[Row]) -> str:
    """Show rows as text."""
    lines = [f"{'goal':<5} {'quantity':<74} {'median':>9} {'min':>9} {'max':>9} {'must':>8} {'stretch':>8}  holds"]
    for row in rows:
        sign = "≤" if row.at_most else "≥"
        bounds = ["" if bound is None else f"{sign} {bound:g}" for bound in (row.must, row.stretch)]
        numbers = "".join(f" {_short(number):>9}" for number in (row.value, min(row.rounds), max(row.rounds)))
        name = f"{row.quantity} ({row.unit})" if row.unit else row.quantity
        lines.append(f"{row.goal:<5} {name:<74}{numbers} {bounds[0]:>8} {bounds[1]:>8}  {row.verdict}")
    return "\n".join(lines)


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
