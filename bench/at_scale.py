"""How far one PostgreSQL carries, by simulation: `python -m bench.at_scale`, or `make bench ARGS="--only scale"`.

It works with what was measured (`bench/service_times.py`), simulates the service at rates that no machine here makes,
and prints which resource is how busy, how soon a webhook becomes an event, and where a database's limit lies.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.measures import Row, quantile
from bench.service_times import ERASED_VIDEOS, Step, steps
from bench.setting import Setting
from bench.simulated_database import Process
from bench.simulated_service import ERASING_PAUSE, Service, Shape
from bench.simulation import Activity, Simulation
from generator.run import IN_FLIGHT as SUBMISSIONS_AT_ONCE
from poller.run import IN_FLIGHT as CHECKS_AT_ONCE

WARM_UP = 3.0
VIDEOS = 3000
"""How many videos a run measures, about; but no less than a second of it."""

SOON = 1.0
"""Seconds from a webhook to its event that hardly any video may take longer than."""

BUSY = 0.6
"""How much of their time our processes are to be busy: as many of them are started as that takes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: videos a second, seconds from request and from webhook to event, how busy each resource."""

    rate: float
    whole: Sequence[float]
    after_webhook: Sequence[float]
    busy: Mapping[str, float]
    looks: float
    unfinished: int


def simulate(
    rate: float, shape: Shape, costs: Mapping[str, Step], *, seed: int = 1, seconds: float | None = None
) -> Outcome:
    """Run a service at so many requests a second; what happened while it warmed up does not count."""
    seconds = seconds or max(1.0, VIDEOS / rate)
    simulation = Simulation(seed)
    service = Service(simulation, shape, costs)

    def arrivals() -> Activity:
        while True:
            yield simulation.wait(simulation.about(1 / rate))
            simulation.start(service.request())

    simulation.start(arrivals())
    simulation.run(WARM_UP)
    before, looks = _busy(service), service.database.looks
    simulation.run(WARM_UP + seconds)
    busy = {name: (used - before[name]) / seconds / _size(service, name) for name, used in _busy(service).items()}
    ended = [video for video in service.ended if video[0] > WARM_UP]
    return Outcome(
        len(ended) / seconds,
        [whole for _, whole, _ in ended],
        [after for _, _, after in ended],
        busy,
        (service.database.looks - looks) / seconds,
        service.begun - len(service.ended),
    )


_ROLES = ("receivers", "generators", "pollers")


def _processes(service: Service, name: str) -> list[Process]:
    return {"receivers": service.receivers, "generators": service.generators, "pollers": service.pollers}[name]


def _busy(service: Service) -> dict[str, float]:
    found = {name: sum(process.loop.busy for process in _processes(service, name)) for name in _ROLES}
    return found | {
        "publisher": service.publisher.loop.busy,
        "PostgreSQL": service.database.cores.busy,
        "its log": service.database.log.busy,
        "budget rows": sum(row.busy for row in service.budgets),
    }


def _size(service: Service, name: str) -> int:
    if name in _ROLES:
        return len(_processes(service, name))
    return {"PostgreSQL": service.database.cores.servers, "budget rows": len(service.budgets)}.get(name, 1)


def shape_for(rate: float, shape: Shape, costs: Mapping[str, Step]) -> Shape:
    """Give a service as many processes as its work takes: by processor time, by jobs in hand, by erasing."""

    def ours(*names: str) -> float:
        return rate * sum(costs[name].ours for name in names) / BUSY

    submitting = rate * (shape.submission + 0.05) / (SUBMISSIONS_AT_ONCE * shape.providers * BUSY)
    checking = rate * (shape.check + 0.05) / (CHECKS_AT_ONCE * shape.providers * BUSY)
    erasing = rate / ERASED_VIDEOS * (ERASING_PAUSE + 0.02) if shape.cleaning else 0.0
    return replace(
        shape,
        receivers=math.ceil(ours("accept", "webhook")),
        generators=math.ceil(max(ours("route", "claim", "send", "accepted"), submitting)),
        pollers=math.ceil(max(ours("look", "settle"), checking, erasing)),
    )


def limit(shape: Shape, costs: Mapping[str, Step], *, most: float) -> float:
    """Find how many videos a second a service bears with almost all events soon, to a thirty-second of `most`."""
    low, high = 0.0, most
    for _ in range(5):
        rate = (low + high) / 2
        found = simulate(rate, shape_for(rate, shape, costs), costs)
        if found.rate > 0.95 * rate and quantile(found.after_webhook, 0.99) < SOON:
            low = rate
        else:
            high = rate
    return low


RATES = (10, 1_000, 100_000)
"""Videos a minute."""
CORES = (4, 16, 64)
DATABASES = (1, 2, 4, 8)
MOST_SIMULATED = 4000.0
"""Videos a second beyond which a run takes too long here."""


def at_each_rate(costs: Mapping[str, Step], *, cores: int = 16) -> Iterator[str]:
    """Tell how busy what is at each rate over one database, and at the highest over more of them.

    Of several services, each over a database of its own, one is simulated with its part of the requests: they share
    nothing, and what random requests are divided into is random again.
    """
    yield "  a minute  databases      made   webhook → event   p99  looks/s  processes each, and how busy what is"
    for a_minute, databases in [*((rate, 1) for rate in RATES), *((RATES[-1], number) for number in DATABASES[1:])]:
        rate = a_minute / 60 / databases
        shape = shape_for(rate, Shape(database_cores=cores), costs)
        found = simulate(rate, shape, costs)
        p50, p99 = (1000 * quantile(found.after_webhook, part) for part in (0.5, 0.99))
        yield (
            f"{a_minute:>10,} {databases:>10} {60 * found.rate * databases:>9,.0f} {p50:>14,.0f} ms {p99:>5,.0f}"
            f" {found.looks:>8,.0f}  {shape.receivers} + {shape.generators} + {shape.pollers} + 1; "
            + ", ".join(f"{name} {100 * part:.0f} %" for name, part in found.busy.items())
        )


def limits(costs: Mapping[str, Step]) -> Iterator[tuple[int, bool, float, bool]]:
    """Give how many videos a minute one database of so many cores bears, with the one publisher, or as if without.

    The last says whether that is as much as is simulated at most.
    """
    for cores in CORES:
        for relays in (True, False):
            of_database = cores / sum(step.database for step in costs.values())
            of_publisher = 0.5 / costs["relay"].ours if relays else MOST_SIMULATED
            found = limit(Shape(database_cores=cores, relays=relays), costs, most=1.1 * min(of_database, of_publisher))
            yield cores, relays, 60 * found, not relays and found > 0.95 * MOST_SIMULATED


def measure_at_scale(setting: Setting) -> list[Row]:
    """Print the table, and give how much each size of database bears."""
    costs = steps()
    for line in at_each_rate(costs):
        setting.say(line)
    return [
        Row(
            "scale",
            f"{'at least this' if at_least else 'limit'} of one PostgreSQL of {cores} cores, simulated"
            f"{'' if relays else ', the publisher left out'} (videos a minute)",
            [found],
        )
        for cores, relays, found, at_least in limits(costs)
    ]


def main() -> None:
    """Simulate, and print."""
    began = time.perf_counter()
    costs = steps()
    for line in at_each_rate(costs):
        print(line, flush=True)
    for cores, relays, found, at_least in limits(costs):
        publisher = "with its one publisher" if relays else "the publisher left out"
        print(f"{cores:>2} cores, {publisher}: {'more than ' if at_least else ''}{found:,.0f} a minute", flush=True)
    print(f"simulated in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
