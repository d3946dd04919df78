"""The simulated service loses no video, works as much as was measured, and its limits follow from that."""

from dataclasses import replace
from typing import get_args

import pytest

from bench.at_scale import limit, shape_for, simulate
from bench.measures import quantile
from bench.service_times import DATABASE, LOOKS, ROLES, SHARES, TOGETHER, Role, steps
from bench.simulated_service import Service, Shape
from bench.simulation import Activity, Simulation

COSTS = steps()
SMALL = Shape(receivers=2, generators=3, pollers=3)


@pytest.mark.parametrize("role", get_args(Role))
def test_a_roles_steps_take_what_was_measured_of_it(role: Role) -> None:
    taken = sum(_times(name) * COSTS[name].ours for name, share in SHARES.items() if share.role == role)
    taken += LOOKS[role] * COSTS["nothing"].ours / TOGETHER
    taken += 2 * COSTS["window"].ours / TOGETHER if role == "publisher" else 0.0

    assert taken == pytest.approx(ROLES[role].ours)


def _times(step: str) -> int:
    return 2 if step == "relay" else 1  # a video's two events


def test_the_steps_take_what_was_measured_of_postgresql() -> None:
    taken = sum(_times(name) * COSTS[name].database for name in SHARES)
    taken += (sum(LOOKS.values()) * COSTS["nothing"].database + 2 * COSTS["window"].database) / TOGETHER

    assert taken == pytest.approx(DATABASE)


def test_every_video_ends_once() -> None:
    simulation = Simulation(5)
    service = Service(simulation, replace(SMALL, cleaning=False), COSTS)

    def arrivals() -> Activity:
        for _ in range(500):
            yield simulation.wait(simulation.about(0.005))
            simulation.start(service.request())

    simulation.start(arrivals())
    simulation.run(60.0)

    assert service.begun == len(service.ended) == 500
    assert not any(workers.in_hand for kind in (service.submitting, service.checking) for workers in kind.workers)


def test_each_resource_is_as_busy_as_its_work_says() -> None:
    rate = 60.0
    found = simulate(rate, replace(SMALL, cleaning=False), COSTS, seconds=20.0)

    assert found.rate == pytest.approx(rate, rel=0.06)
    receivers = rate * (COSTS["accept"].ours + COSTS["webhook"].ours) / 2
    assert found.busy["receivers"] == pytest.approx(receivers, rel=0.05)
    events = 2 * rate * COSTS["relay"].ours
    assert events < found.busy["publisher"] <= events + 2 * rate * COSTS["window"].ours


def test_looks_are_work_of_postgresql_too() -> None:
    found = simulate(60.0, replace(SMALL, cleaning=False), COSTS, seconds=20.0)

    videos = found.rate * sum(_times(name) * COSTS[name].database for name in SHARES)
    assert found.busy["PostgreSQL"] * 4 > videos + 0.9 * found.looks * COSTS["nothing"].database


def test_a_webhook_waits_for_no_more_than_its_way() -> None:
    found = simulate(1.0, replace(SMALL, check=0.0), COSTS, seconds=500.0)

    assert 0.005 < quantile(found.after_webhook, 0.5) < 0.05


def test_beyond_its_limit_a_service_makes_no_more() -> None:
    one_core = replace(SMALL, database_cores=1, cleaning=False)

    found = simulate(2 / DATABASE, one_core, COSTS, seconds=5.0)

    assert found.rate < 1 / DATABASE
    assert found.busy["PostgreSQL"] == pytest.approx(1.0, rel=0.02)


def test_the_limit_is_that_of_what_binds() -> None:
    most = 1.1 / DATABASE

    found = limit(Shape(database_cores=1), COSTS, most=most)

    assert 0.4 / DATABASE < found < 1 / DATABASE


def test_a_service_gets_as_many_processes_as_its_work_takes() -> None:
    few, many = (shape_for(rate, Shape(), COSTS) for rate in (1.0, 500.0))

    assert (few.receivers, few.generators, few.pollers) == (1, 1, 1)
    assert many.receivers == 2  # 500 * 1.46 ms, 60 % of two
    assert many.generators >= 4
