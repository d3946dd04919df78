"""Goals 6 to 8: from the settling transaction to a subscriber, and what an event costs beside other ways."""

import time
from collections.abc import Callable
from statistics import median

from bench.consuming import EXCHANGE
from bench.measures import Row, ratios
from bench.processes import Started, until
from bench.seeding import create, seed_events, seed_open, unpublished
from bench.setting import Measured, Server, Setting, interleave, measure

_EVENTS = 3000


class _Settled:
    """Rounds of settling: a process that settles, the relay, and a subscriber."""

    def __init__(self, setting: Setting, settling: Started, relay: Server, subscriber: Started) -> None:
        self._settling, self._relay, self._subscriber = settling, relay, subscriber
        self._first = 0
        self._count = _EVENTS // 3 if setting.quick else _EVENTS
        self.rates: list[float] = []
        self.relay_cpu: list[float] = []
        self.settling_cpu: list[float] = []

    def round(self) -> None:
        """Settle some videos and wait until the subscriber has heard of all."""
        self._settling.tell(f"{self._first} {self._count}")
        self._settling.line()
        before, began = self._relay.process.cpu(), time.time()
        self._subscriber.tell(str(self._count))
        self.settling_cpu.append(float(self._settling.line()) / self._count)
        ended = float(self._subscriber.line())
        self.rates.append(self._count / (ended - began))
        self.relay_cpu.append((self._relay.process.cpu() - before) / self._count)
        self._first += self._count


def measure_events(setting: Setting) -> list[Row]:
    """Measure goals 6 and 7."""
    folder = setting.fresh()
    path = create(folder)
    now = time.time()
    seed_open(path, 0, _EVENTS * (setting.rounds + 1), at=now, due=now + 100_000)
    url = f"sqlite:///{path}"
    broker = setting.broker.url
    with (
        setting.peer("floor") as floor,
        setting.role("receiver", setting.expecting()) as receiver,
        setting.peer("confirming", broker) as confirming,
        setting.peer("fast_api", broker) as fast_api,
        setting.peer("fast_stream", broker) as fast_stream,
        setting.peer("polled_outbox", broker, str(setting.fresh())) as polled,
        setting.role("publisher", folder) as relay,
        Started(["bench.consuming", broker, EXCHANGE], folder=folder) as subscriber,
        Started(["bench.settling", url], folder=folder) as settling,
    ):
        subscriber.line()
        settling.line()
        settled = _Settled(setting, settling, relay, subscriber)
        settled.round()
        servers = {"floor": floor, "Starlette + aio-pika": confirming, "FastAPI + aio-pika": fast_api}
        servers |= {"Starlette + FastStream": fast_stream, "ORM + polled outbox": polled}
        contestants: dict[str, Callable[[], Measured]] = {
            name: lambda server=server: measure(setting, server, "plain")  # type: ignore[misc]  # a default binds it
            for name, server in servers.items()
        }
        contestants["webhook"] = lambda: measure(setting, receiver, "webhook")
        found: dict[str, list[Measured]] = {name: [] for name in contestants}
        for _ in range(setting.rounds):
            for name, rounds in interleave(1, contestants).items():
                found[name] += rounds
            settled.round()
    return _rows(found, settled)


def _rows(found: dict[str, list[Measured]], settled: _Settled) -> list[Row]:
    rates = {name: [measured.answers.rate for measured in rounds] for name, rounds in found.items()}
    cpus = {name: [measured.cpu for measured in rounds] for name, rounds in found.items()}
    relayed = settled.relay_cpu[1:]
    ours = [accept + relay for accept, relay in zip(cpus["webhook"], relayed, strict=True)]
    rows = [
        Row("6", "settled → consumed, events a second / floor", ratios(settled.rates[1:], rates["floor"]), 0.25, 0.40),
        Row("6", "receiver's and relay's CPU an event / floor", ratios(ours, cpus["floor"]), 2.5, 1.5, at_most=True),
        Row("6", "settling's CPU an event / floor", ratios(settled.settling_cpu[1:], cpus["floor"]), at_most=True),
        Row("7", "CPU of 6 / Starlette + aio-pika", ratios(ours, cpus["Starlette + aio-pika"]), 0.6, 0.4, at_most=True),
        Row("7", "CPU of 6 / ORM + polled outbox", ratios(ours, cpus["ORM + polled outbox"]), 0.15, 0.08, at_most=True),
    ]
    rows += [Row("rate", name, values, unit="a second") for name, values in rates.items()]
    rows.append(Row("rate", "settled → consumed", settled.rates[1:], unit="a second"))
    return rows


def measure_relay(setting: Setting) -> list[Row]:
    """Measure goal 8: the relay's CPU a confirmed message, store included."""
    folder = setting.fresh()
    path = create(folder)
    count = 2000 if setting.quick else 6000
    ours: list[float] = []
    theirs: list[float] = []
    with setting.role("publisher", folder) as relay:
        seed_events(path, 0, 100, at=time.time())
        until(lambda: unpublished(path) == 0, what="the relay's first events")
        with Started(["bench.peers.gathering", setting.broker.url], folder=folder) as gathering:
            gathering.line()
            gathering.tell("500")
            gathering.line()
            for number in range(setting.rounds):
                before = relay.process.cpu()
                seed_events(path, 1000 + number * count, count, at=time.time())
                until(lambda: unpublished(path) == 0, what="an empty outbox")
                ours.append((relay.process.cpu() - before) / count)
                gathering.tell(str(count))
                theirs.append(float(gathering.line()) / count)
    return [
        Row(
            "8",
            "relay's CPU a confirmed message / aio-pika's gather of 100",
            ratios(ours, theirs),
            0.4,
            0.1,
            at_most=True,
        ),
        Row("8", "aio-pika's gather of 100: CPU a message", [1e6 * cpu for cpu in theirs], unit="µs"),
        Row("8", "relay: CPU a confirmed message", [1e6 * median(ours)], unit="µs"),
    ]
