"""Run the benchmarks: `python -m bench [--quick] [--only 1,2,9]`.

Every goal is a ratio, so that it means the same on another machine. Two runs should agree before one is believed.
"""

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import drawing, planning
from bench.accepting import measure_accepting
from bench.at_scale import measure_at_scale
from bench.beside import measure_beside
from bench.events import measure_events, measure_relay
from bench.footprint import measure_footprint
from bench.hosts import measure_hosts
from bench.measures import Row, table
from bench.outage import measure_outage, measure_overload
from bench.pipeline import measure_checks, measure_latency, measure_pipeline
from bench.postgres import measure_accepting_beside, measure_latency_beside, measure_pipeline_beside
from bench.processes import ROOT
from bench.scale import measure_scale
from bench.setting import Setting


def measure_disk(setting: Setting) -> list[Row]:
    """Measure how long the disk takes to make 4 KiB safe."""
    found: list[float] = []
    with (setting.folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            found.append(1000 * (time.perf_counter() - began))
    return [Row("base", "disk: 4 KiB written and synced", found, unit="ms")]


MEASUREMENTS: dict[str, Callable[[Setting], list[Row]]] = {
    "disk": measure_disk,
    "1,2,4,5": measure_accepting,
    "6,7": measure_events,
    "8": measure_relay,
    "9": measure_checks,
    "10": measure_pipeline,
    "11": measure_latency,
    "12": planning.measure_polling,
    "13": measure_scale,
    "14": measure_outage,
    "15": measure_footprint,
    "load": measure_overload,
    "beside": measure_beside,
    "p1,p2": measure_accepting_beside,
    "p3,p4": measure_pipeline_beside,
    "p5": measure_latency_beside,
    "p6": measure_hosts,
    "scale": measure_at_scale,
}
PICTURES = ROOT / "docs" / "pictures"
RESULTS = ROOT / "bench" / "results"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure each goal as a ratio.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, for about three minutes")
    parser.add_argument("--only", default="", help=f"goals, as in 1,9 (there are {', '.join(MEASUREMENTS)})")
    return parser.parse_args()


def _measure(setting: Setting, wanted: set[str]) -> list[Row]:
    rows: list[Row] = []
    for goals, run in MEASUREMENTS.items():
        if wanted and not wanted & set(goals.split(",")):
            continue
        setting.say(f"goal {goals}")
        try:
            rows += run(setting)
        except (RuntimeError, TimeoutError, LookupError, sqlite3.Error) as error:
            setting.say(f"not measured: {error}")
            rows.append(Row(goals, "not measured", [float("nan")], 0.0))
    return rows


def _keep(rows: Sequence[Row]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    machine = {"processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    path.write_text(json.dumps({"machine": machine, "rows": [row.document() for row in rows]}, indent=1) + "\n")
    return path


def _draw(rows: Sequence[Row]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    rates = {row.quantity: row.value for row in rows if row.goal == "rate"}
    if rates:
        ours = {"webhook": "reelbus: webhook recorded", "settled → consumed": "reelbus: settled to consumed"}
        values = [(ours.get(name, name), value) for name, value in rates.items()]
        picture = drawing.bars("Requests and events a second, one process each", values, unit="/s")
        (PICTURES / "throughput.svg").write_text(picture)
    if any(row.goal == "12" for row in rows):
        picture = drawing.pareto("How late an end is found, by checks a job (lognormal durations)", planning.curves())
        (PICTURES / "polling.svg").write_text(picture)


def main() -> int:
    """Measure, show, keep."""
    given = _arguments()
    wanted = set(filter(None, given.only.split(",")))
    began = time.monotonic()
    rounds, seconds = (3, 0.7) if given.quick else (5, 1.5)
    with tempfile.TemporaryDirectory(prefix="reelbus-bench-") as folder:
        setting = Setting(Path(folder), rounds, seconds, given.quick)
        with setting.stack:
            rows = _measure(setting, wanted)
    print(table(rows))
    _draw(rows)
    missed = [row for row in rows if row.verdict == "MISSED"]
    print(f"\n{len(missed)} goals missed, {time.monotonic() - began:.0f} s, kept in {_keep(rows).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
