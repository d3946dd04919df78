"""Goals p1 to p6: PostgreSQL beside SQLite, interleaved in one run; every figure is a ratio of the two."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench.consuming import EXCHANGE
from bench.load import Load
from bench.measures import Row, ratios
from bench.pipeline import expecting_latency, latency, provider_settings, standin
from bench.processes import Started, cpu_of
from bench.seeding import announce_provider
from bench.setting import Measured, Server, Setting, interleave, measure
from reelbus.database_copy import copy
from setup.postgres import server as postgres

_STORES = ("sqlite", "postgresql")


@contextmanager
def database_server(configuration: str = "") -> Iterator[postgres.Server]:
    """Run a private PostgreSQL with its usual settings, every commit is synced, and more lines of configuration."""
    server = postgres.Server(configuration=configuration)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def database(server: postgres.Server) -> str:
    """Make an empty database and give its address."""
    name = f"bench_{time.monotonic_ns()}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.url(name)


def measure_accepting_beside(setting: Setting) -> list[Row]:
    """Measure webhooks and videos accepted by one receiver over each store."""
    with database_server() as server, ExitStack() as stack:
        address = database(server)
        announce_provider(address)
        receivers = {
            "sqlite": stack.enter_context(setting.role("receiver", setting.expecting())),
            "postgresql": stack.enter_context(setting.role("receiver", setting.fresh(), REELBUS_DATABASE_URL=address)),
        }
        contestants: dict[str, Callable[[], Measured]] = {
            f"{kind} {store}": (lambda kind=kind, store=store: measure(setting, receivers[store], kind))  # type: ignore[misc]  # defaults bind the loop's variables
            for kind in ("webhook", "video")
            for store in _STORES
        }
        found = interleave(setting.rounds, contestants)
    rows = []
    for goal, kind, must, stretch in (("p1", "webhook", 0.5, 0.8), ("p2", "video", 0.6, 0.9)):
        ours, theirs = found[f"{kind} postgresql"], found[f"{kind} sqlite"]
        rates = [[each.answers.rate for each in rounds] for rounds in (ours, theirs)]
        used = [[1e6 * each.cpu for each in rounds] for rounds in (ours, theirs)]
        rows += [
            Row(goal, f"{kind} accepted durably: PostgreSQL / SQLite, rate", ratios(*rates), must, stretch),
            Row(goal, f"{kind}: PostgreSQL / SQLite, our CPU", ratios(*used), at_most=True),
            Row(goal, f"{kind}s a second with PostgreSQL", rates[0]),
        ]
    return rows


def measure_pipeline_beside(setting: Setting) -> list[Row]:
    """Measure videos from request to consumed event, one process with all roles over each store."""
    count = 200 if setting.quick else 500
    rates: dict[str, list[float]] = {store: [] for store in _STORES}
    used: dict[str, list[float]] = {store: [] for store in _STORES}
    servers: list[float] = []
    with database_server() as server, ExitStack() as stack:
        addresses = {"sqlite": None, "postgresql": database(server)}
        runs = {store: _Pipeline(setting, stack, address, store) for store, address in addresses.items()}
        for number in range(setting.rounds + 1):
            for store, run in runs.items():
                before = _cpu_of_server(server)
                rate, cpu = run.round(count)
                if number:
                    rates[store].append(rate)
                    used[store].append(1e6 * cpu)
                    servers += [1e6 * (_cpu_of_server(server) - before) / count] if store == "postgresql" else []
    return [
        Row("p3", "whole pipeline: PostgreSQL / SQLite, rate", ratios(*_ours_first(rates)), 0.4, 0.65),
        Row("p4", "our CPU a video: PostgreSQL / SQLite", ratios(*_ours_first(used)), 1.8, 1.25, at_most=True),
        Row("p3", "whole pipeline with PostgreSQL: videos a second", rates["postgresql"]),
        Row("p4", "our CPU a video with PostgreSQL", used["postgresql"], unit="µs"),
        Row("p4", "PostgreSQL's own CPU a video", servers, unit="µs"),
    ]


def measure_latency_beside(setting: Setting) -> list[Row]:
    """Measure how soon a webhook becomes an event at an idle pace, one process with all roles over each store."""
    late: dict[str, list[float]] = {store: [] for store in _STORES}
    with database_server() as server, standin(setting) as provider:
        for _ in range(min(setting.rounds, 5)):
            for store in _STORES:
                folder, env = expecting_latency(setting), provider_settings(provider)
                if store == "postgresql":
                    env["REELBUS_DATABASE_URL"] = database(server)
                    asyncio.run(_copy(f"sqlite:///{folder / 'reelbus.db'}", env["REELBUS_DATABASE_URL"]))
                with setting.role("run", folder, **env) as service:
                    time.sleep(1.5)  # for the relay to connect
                    found = latency(setting, EXCHANGE, service.port)
                if found["missing"]:
                    raise RuntimeError(f"events missing over {store}: {found}")
                late[store].append(1000 * found["p50"])
    return [
        Row("p5", "webhook → event, p50: PostgreSQL / SQLite", ratios(*_ours_first(late)), 3, 2, at_most=True),
        Row("p5", "the same with PostgreSQL", late["postgresql"], unit="ms"),
        Row("p5", "the same with SQLite", late["sqlite"], unit="ms"),
    ]


async def _copy(source: str, target: str) -> None:
    await copy(source, target, lambda _name, _rows: None)


def _ours_first(found: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    return found["postgresql"], found["sqlite"]


class _Pipeline:
    """A service with all roles, its provider, and a subscriber."""

    def __init__(self, setting: Setting, stack: ExitStack, address: str | None, exchange: str) -> None:
        self._setting = setting
        env = provider_settings(stack.enter_context(standin(setting))) | {"REELBUS_EXCHANGE": f"{EXCHANGE}.{exchange}"}
        if address is not None:
            env["REELBUS_DATABASE_URL"] = address
        self._service: Server = stack.enter_context(setting.role("run", setting.fresh(), **env))
        command = ["bench.consuming", setting.broker.url, env["REELBUS_EXCHANGE"]]
        self._subscriber = stack.enter_context(Started(command, folder=setting.folder))
        self._subscriber.line()

    def round(self, count: int) -> tuple[float, float]:
        """Make so many videos; give videos a second, and seconds of processor time a video."""
        before, began = self._service.process.cpu(), time.time()
        self._setting.generator.begin(Load(self._service.port, "video", 60, connections=8, count=count))
        self._subscriber.tell(str(2 * count))  # each video is announced when it is submitted and when it is ready
        ended = float(self._subscriber.line())
        self._setting.generator.end()
        return count / (ended - began), (self._service.process.cpu() - before) / count


def _cpu_of_server(server: postgres.Server) -> float:
    """Give the seconds of processor time of a server's living processes."""
    used = 0.0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
            if server.pid in {int(words[1]), int(status.parent.name)}:
                used += cpu_of(int(status.parent.name))
        except OSError:
            continue
    return used
