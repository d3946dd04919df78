"""The simulation beside the machine: `python -m bench.open_loop 10 20 40`.

It runs one process of each role over a private PostgreSQL, asks for so many videos a second at random times, and
simulates the same with what a video took of each process in a round of its own before (`--calibrate`). So what is
compared, throughput and how soon a webhook becomes an event, is of other rates than what it is computed from.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import psycopg

from bench.at_scale import quantile, simulate
from bench.consuming import EXCHANGE
from bench.pipeline import provider_settings, standin
from bench.postgres import database, database_server
from bench.processes import Started, cpu_of
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
    roles: Mapping[Role, float]
    """Seconds of each role's processor a video."""
    database: float
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
        used = {name: after - before[name] for name, after in self._used().items()}
        asked, heard = found["asked"], found["heard"]
        if found["refused"] or asked.keys() - heard.keys():
            raise RuntimeError(f"{found['refused']} refused, {len(asked.keys() - heard.keys())} without an event")
        with psycopg.connect(self._address) as connection:
            received: dict[str, float] = dict(connection.execute(_RECEIVED.encode()).fetchall())
        flushes, flushing = (after - each for after, each in zip(self._flushes(), (flushes, flushing), strict=True))
        took = max(heard.values()) - min(asked.values())
        return Seen(
            len(asked) / max(took, seconds),
            sorted(heard[video] - at for video, at in asked.items()),
            sorted(heard[video] - received[video] for video in asked),
            {role: used[role] / len(asked) for role in self._roles},
            used["database"] / len(asked),
            flushing / 1000 / max(1, flushes),
        )

    def _flushes(self) -> tuple[float, float]:
        """Give how often the log was synced, and the milliseconds that it took."""
        with psycopg.connect(self._address) as connection:
            found: tuple[float, float] = connection.execute(_FLUSHES.encode()).fetchone() or (0, 0.0)
            return found

    def _used(self) -> dict[str, float]:
        used: dict[str, float] = {role: process.cpu() for role, process in self._roles.items()}
        return {**used, "database": sum(map(_cpu, self._server.pids))}


def _cpu(pid: int) -> float:
    with suppress(FileNotFoundError):
        return cpu_of(pid)
    return 0.0


def compare(world: _World, calibrate: float, rates: list[float], seconds: float) -> None:
    """Print what the machine did at each rate beside what the simulation says."""
    world.round(calibrate, 3)
    seen = world.round(calibrate, seconds)
    roles: dict[Role, RoleCosts] = {role: RoleCosts(used, ROLES[role].logged) for role, used in seen.roles.items()}
    used = ", ".join(f"{role} {1e3 * each:.2f}" for role, each in seen.roles.items())
    print(f"at {calibrate:g} a second, ms a video: {used}, PostgreSQL {1e3 * seen.database:.2f}")
    cores = os.cpu_count() or 1
    shape = Shape(providers=1, machine=cores, submission=0.001, check=0.001, render=0.002, cleaning=False)
    costs = steps(roles, seen.database, together=1.0)
    columns: list[tuple[str, Callable[[Seen], float]]] = [
        ("rate", lambda each: each.rate),
        ("webhook → event p50, ms", lambda each: 1e3 * quantile(each.after_webhook, 0.5)),
        ("p99", lambda each: 1e3 * quantile(each.after_webhook, 0.99)),
        ("request → event p50, ms", lambda each: 1e3 * quantile(each.whole, 0.5)),
        ("p99", lambda each: 1e3 * quantile(each.whole, 0.99)),
    ]
    for rate in rates:
        seen = world.round(rate, seconds)
        simulated = simulate(rate, replace(shape, flush=seen.flush), costs, seconds=max(seconds, 1000 / rate))
        guessed = Seen(simulated.rate, list(simulated.whole), list(simulated.after_webhook), {}, 0.0, 0.0)
        print(f"{rate:6g} a second: {1e3 * seen.flush:.1f} ms for a sync of PostgreSQL's log")
        for name, value in columns:
            ours, theirs = value(guessed), value(seen)
            print(f"{rate:6g} a second: {name:<26} measured {theirs:8.1f}, simulated {ours:8.1f} ({ours / theirs:.2f})")


def main() -> None:
    """Measure and simulate, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="python -m bench.open_loop", description=__doc__)
    parser.add_argument("rates", type=float, nargs="+", help="videos a second")
    parser.add_argument("--calibrate", type=float, default=15.0, help="the rate at which processor times are measured")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each round asks")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelbus-bench-") as folder:
        setting = Setting(Path(folder), 1, 1.0, quick=True)
        with database_server("track_wal_io_timing = on\n") as server, setting.stack as stack:
            world = _World(setting, stack, server)
            compare(world, given.calibrate, given.rates, given.seconds)


if __name__ == "__main__":
    main()
