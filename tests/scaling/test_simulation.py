"""The simulation keeps the laws of queues: what is known without simulating comes out of it."""

import pytest

from bench.simulation import Activity, Batches, Places, Simulation, Station

CUSTOMERS = 60_000


class _Queue:
    """One station with customers who come at random."""

    def __init__(self, *, arrivals: float, service: float, servers: int, seed: int = 7) -> None:
        self.simulation = Simulation(seed)
        self.station = Station(self.simulation, servers)
        self._arrivals, self._service = arrivals, service
        self.simulation.start(self._come())
        self.present: list[int] = []
        self.simulation.start(self._look())
        self.simulation.run(CUSTOMERS / arrivals)

    def _come(self) -> Activity:
        while True:
            yield self.simulation.wait(self.simulation.about(1 / self._arrivals))
            self.simulation.start(self._customer())

    def _customer(self) -> Activity:
        yield self.station.serve(self.simulation.about(self._service))

    def _look(self) -> Activity:
        while True:
            yield self.simulation.wait(self.simulation.about(0.5 / self._arrivals))
            self.present.append(self.station.present)

    @property
    def mean_stay(self) -> float:
        return self.station.stayed / self.station.served


def test_one_server_makes_customers_stay_as_long_as_the_formula_says() -> None:
    queue = _Queue(arrivals=7.0, service=0.1, servers=1)

    assert queue.mean_stay == pytest.approx(1 / (10 - 7), rel=0.05)


def test_three_servers_make_customers_stay_as_long_as_erlangs_formula_says() -> None:
    queue = _Queue(arrivals=24.0, service=0.1, servers=3)

    waits = 0.647  # Erlang C of three servers that are offered 2.4
    assert queue.mean_stay == pytest.approx(0.1 + waits / (30 - 24), rel=0.05)


def test_a_station_is_as_busy_as_its_work_says() -> None:
    queue = _Queue(arrivals=24.0, service=0.1, servers=3)

    assert queue.station.busy / queue.simulation.now / 3 == pytest.approx(0.8, rel=0.02)


def test_as_many_are_present_as_arrive_while_one_stays() -> None:
    queue = _Queue(arrivals=7.0, service=0.1, servers=1)

    present = sum(queue.present) / len(queue.present)
    assert present == pytest.approx(queue.station.served / queue.simulation.now * queue.mean_stay, rel=0.03)


def test_the_same_seed_gives_the_same_run() -> None:
    one, same, other = (_Queue(arrivals=7.0, service=0.1, servers=1, seed=seed) for seed in (3, 3, 4))

    assert one.station.stayed == same.station.stayed
    assert one.station.stayed != other.station.stayed


def test_processes_of_one_machine_share_its_processors() -> None:
    simulation = Simulation(1)
    machine = Station(simulation, 2)
    processes = [Station(simulation, 1, host=machine) for _ in range(4)]
    ended: list[float] = []

    def work(process: Station) -> Activity:
        yield process.serve(1.0)
        ended.append(simulation.now)

    for process in processes:
        simulation.start(work(process))
        simulation.start(work(process))
    simulation.run(10.0)

    assert ended == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]


def test_who_comes_during_a_flush_shares_the_next_one() -> None:
    simulation = Simulation(1)
    flushed: list[list[int]] = []

    def flush(pieces: list[int]) -> Activity:
        flushed.append(pieces)
        yield simulation.wait(1.0)

    log = Batches(simulation, flush)
    ended: dict[int, float] = {}

    def commit(number: int) -> Activity:
        yield simulation.wait(number / 10)
        yield log.add(number)
        ended[number] = simulation.now

    for number in range(5):
        simulation.start(commit(number))
    simulation.run(10.0)

    assert flushed == [[0], [1, 2, 3, 4]]
    assert ended == {0: 1.0, 1: 2.0, 2: 2.0, 3: 2.0, 4: 2.0}
    assert log.busy == 2.0


def test_a_place_is_given_from_hand_to_hand() -> None:
    simulation = Simulation(1)
    places = Places(simulation, 2)
    ended: list[float] = []

    def hold() -> Activity:
        yield places.acquire()
        yield simulation.wait(1.0)
        places.release()
        ended.append(simulation.now)

    for _ in range(5):
        simulation.start(hold())
    simulation.run(10.0)

    assert ended == [1.0, 1.0, 2.0, 2.0, 3.0]
    assert places.busy == 5.0
