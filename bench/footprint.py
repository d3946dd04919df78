"""Goal 15: how much memory each role needs, and how soon commands are there."""

import time

from bench.measures import Row
from bench.processes import Started, until
from bench.setting import Setting


def measure_footprint(setting: Setting) -> list[Row]:
    """Measure goal 15: memory of each role, and how soon commands are there."""
    rows: list[Row] = []
    for role in ("receiver", "generator", "poller", "publisher", "run"):
        with setting.role(role, setting.fresh()) as server:
            time.sleep(2.0)
            rows.append(
                Row("15", f"{role}: resident memory", [server.process.resident()], 120, 80, at_most=True, unit="MB")
            )
    ready: list[float] = []
    helped: list[float] = []
    for _ in range(setting.rounds):
        folder = setting.fresh()
        began = time.perf_counter()
        with setting.role("run", folder):
            ready.append(time.perf_counter() - began)
        began = time.perf_counter()
        with Started(["reelbus", "--help"], folder=folder) as helping:
            until(lambda helping=helping: not helping.running, what="the help")  # type: ignore[misc]  # a default binds it
            helped.append(time.perf_counter() - began)
    rows.append(Row("15", "reelbus run: until it answers", ready, 1.5, 0.8, at_most=True, unit="s"))
    rows.append(Row("15", "reelbus --help", helped, 0.3, 0.15, at_most=True, unit="s"))
    return rows
