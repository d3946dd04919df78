"""The simulation beside the machine: `python -m bench.open_loop 10 20 40`.

It runs one process of each role over a private PostgreSQL, asks for so many videos a second at random times, and
simulates the same with the times of that round: twice, with the processor time of each process alone, which is what a
quiet machine would show, and with what its threads waited for a processor added, though threads wait beside each
other. On a machine that others use too, what is measured lies between.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import psycopg

from bench.at_scale import simulate
from bench.consuming import EXCHANGE
from bench.measures import quantile
from bench.pipeline import provider_settings, standin
from bench.postgres import database, database_server
from bench.processes import Started
from bench.seeding import announce_provider
from bench.service_times import ROLES, Role, RoleCosts, steps
from bench.setting import Setting
from bench.simulated_service import Shape
from setup.postgres.server import Server

_FLUSHES = "SELECT wal_sync, wal_sync_time FROM pg_stat_wal"
_RECEIVED = "SELECT video_id, min(received_at) FROM webhooks JOIN attempts ON attempts.id = attempt_id GROUP BY 1"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a round on the machine came to."""

    rate: float
    whole: list[float]
    after_webhook: list[float]
    held: Mapping[str, float]
    """Seconds a video for which each role, and the database, held a processor."""
    waited: Mapping[str, float]
    """The same, with what their threads waited for one."""
    flush: float
    """Seconds of one sync of PostgreSQL's log."""


class _World:
    """One process of each role over a database, with its provider, its caller and its subscriber."""

    def __init__(self, setting: Setting, stack: ExitStack, server: Server) -> None:
        self._server, self._setting = server, setting
        self._address = database(server)
        announce_provider(self._address)
        provider = stack.enter_context(standin(setting))
        env = provider_settings(provider) | {"REELBUS_DATABASE_URL": self._address}
        self._roles: dict[Role, Started] = {}
        port = 0
        for role in get_args(Role):
            started = stack.enter_context(setting.role(role, setting.fresh(), **env))
            self._roles[role] = started.process
            if role == "receiver":
                port = started.port
                env["REELBUS_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        self._caller = stack.enter_context(
            Started(["bench.arriving", setting.broker.url, EXCHANGE, str(port)], folder=setting.folder)
        )
        self._caller.line()

    def round(self, rate: float, seconds: float) -> Seen:
        """Ask for so many videos a second, and say what was seen."""
        before, (flushes, flushing) = self._used(), self._flushes()
        self._caller.tell(f"{rate} {seconds}")
        found = json.loads(self._caller.line())
        used = {
            name: tuple((now - then) for now, then in zip(after, before[name], strict=True))
            for name, after in self._used().items()
        }
        asked, heard = found["asked"], found["heard"]
        if found["refused"] or asked.keys() - heard.keys():
            raise RuntimeError(f"{found['refused']} refused, {len(asked.keys() - heard.keys())} without an event")
        with psycopg.connect(self._address) as connection:
            received: dict[str, float] = dict(connection.execute(_RECEIVED.encode()).fetchall())
        flushes, flushing = (after - each for after, each in zip(self._flushes(), (flushes, flushing), strict=True))
        took = max(heard.values()) - min(asked.values())
        return Seen(
            len(asked) / max(took, seconds),
            [heard[video] - at for video, at in asked.items()],
            [heard[video] - received[video] for video in asked],
            {name: held / len(asked) for name, (held, _) in used.items()},
            {name: sum(both) / len(asked) for name, both in used.items()},
            flushing / 1000 / max(1, flushes),
        )

    def _flushes(self) -> tuple[float, float]:
        """Give how often the log was synced, and the milliseconds that it took."""
        with psycopg.connect(self._address) as connection:
            found: tuple[float, float] = connection.execute(_FLUSHES.encode()).fetchone() or (0, 0.0)
            return found

    def _used(self) -> dict[str, tuple[float, float]]:
        pids: dict[str, list[int]] = {
            **{role: [process.pid] for role, process in self._roles.items()},
            "database": self._server.pids,
        }
        found = {name: [_times(pid) for pid in each] for name, each in pids.items()}
        return {name: (sum(held for held, _ in each), sum(late for _, late in each)) for name, each in found.items()}


def _times(pid: int) -> tuple[float, float]:
    """Give the seconds for which a process's living threads held a processor, and waited for one."""
    held = waited = 0
    with suppress(FileNotFoundError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            words = (thread / "schedstat").read_text().split()
            held, waited = held + int(words[0]), waited + int(words[1])
    return held / 1e9, waited / 1e9


def compare(world: _World, rates: list[float], seconds: float) -> None:
    """Print what the machine did at each rate beside what the simulation says."""
    columns: list[tuple[str, Callable[[Seen], float]]] = [
        ("rate", lambda each: each.rate),
        ("webhook → event p50, ms", lambda each: 1e3 * quantile(each.after_webhook, 0.5)),
        ("p99", lambda each: 1e3 * quantile(each.after_webhook, 0.99)),
        ("request → event p50, ms", lambda each: 1e3 * quantile(each.whole, 0.5)),
        ("p99", lambda each: 1e3 * quantile(each.whole, 0.99)),
    ]
    world.round(rates[0], 3)
    for rate in rates:
        seen = world.round(rate, seconds)
        held, waited = (1e3 * sum(each.values()) for each in (seen.held, seen.waited))
        print(f"{rate:g} a second: {held:.1f} ms of processors a video, {waited:.1f} ms with the waiting for them")
        print(f"  a sync of the log took {1e3 * seen.flush:.1f} ms")
        low, high = (_simulated(rate, each, seen.flush, seconds) for each in (seen.held, seen.waited))
        for name, value in columns:
            print(f"  {name:<24} measured {value(seen):8.1f}, simulated {value(low):8.1f} to {value(high):8.1f}")


def _simulated(rate: float, took: Mapping[str, float], flush: float, seconds: float) -> Seen:
    roles: dict[Role, RoleCosts] = {role: RoleCosts(took[role], known.logged) for role, known in ROLES.items()}
    shape = Shape(
        providers=1, database_cores=16, flush=flush, submission=0.001, check=0.001, render=0.002, cleaning=False
    )
    costs = steps(roles, took["database"], together=1.0)
    found = simulate(rate, shape, costs, seconds=max(seconds, 1000 / rate))
    return Seen(found.rate, list(found.whole), list(found.after_webhook), {}, {}, 0.0)


def main() -> None:
    """Measure and simulate, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="python -m bench.open_loop", description=__doc__)
    parser.add_argument("rates", type=float, nargs="+", help="videos a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each round asks")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelbus-bench-") as folder:
        setting = Setting(Path(folder), 1, 1.0, quick=True)
        with database_server("track_wal_io_timing = on\n") as server, setting.stack as stack:
            world = _World(setting, stack, server)
            compare(world, given.rates, given.seconds)


if __name__ == "__main__":
    main()
