"""Goal 12: polling, compared in simulation, and the curve of delay against checks for the picture."""

from dataclasses import dataclass

from bench.measures import Row
from bench.polling import WORLDS, Knowing, Learning, compare, durations, fixed, simulate
from bench.setting import Setting

_CURVED = "lognormal"
_PRICES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_INTERVALS = (2.5, 3.5, 5.0, 7.0, 10.0, 14.0, 20.0, 28.0)


def measure_polling(setting: Setting) -> list[Row]:
    """Compare the three planners in every world, with several seeds."""
    rows: list[Row] = []
    for world in WORLDS:
        verdicts = [compare(world, seed) for seed in range(1, 1 + (3 if setting.quick else 5))]
        beaten = [verdict.fixed / verdict.learning for verdict in verdicts]
        behind = [verdict.learning / verdict.knowing for verdict in verdicts]
        rows.append(Row("12", f"polling, {world}: delay of the best fixed interval / ours", beaten, 1.3, 1.5))
        rows.append(Row("12", f"polling, {world}: ours / the one who knows all", behind, 1.2, 1.08, at_most=True))
    return rows


@dataclass(frozen=True, slots=True)
class Curve:
    """Pairs of checks a job and seconds of delay."""

    name: str
    points: list[tuple[float, float]]


def curves() -> list[Curve]:
    """Trace what each planner makes of more and fewer checks."""
    jobs = durations(_CURVED, 1)
    runs = {
        "fixed interval": [fixed(jobs, interval) for interval in _INTERVALS],
        "learnt plan": [simulate(jobs, Learning(price)) for price in _PRICES],
        "knows the distribution": [simulate(jobs, Knowing(_CURVED, price)) for price in _PRICES],
    }
    return [Curve(name, [(run.checks, run.delay) for run in found]) for name, found in runs.items()]
