"""What large pictures do to small writes: eight processes write rows while two others store pictures of 20 MB."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

from bench.measures import Row, quantile
from bench.processes import ROOT
from bench.seeding import create
from bench.setting import Setting
from store.database import Store
from store.transaction import Tx

WRITERS, UPLOADERS = 8, 2
PICTURE = b"\xff" * 20_000_000
PAUSE = 0.02
"""Seconds between two writes of one process."""

LOG_MB = 64
_LOOK_SECONDS = 0.02


def measure_beside(setting: Setting) -> list[Row]:
    """Time small writes alone and beside pictures, and look how long the write-ahead log grows."""
    alone, beside, logs = [], [], []
    for _ in range(setting.rounds):
        alone.append(quantile(_run(setting, uploaders=0)[0], 0.99))
        took, log = _run(setting, uploaders=UPLOADERS)
        beside.append(quantile(took, 0.99))
        logs.append(log / 2**20)
    writers = f"small writes of {WRITERS} processes"
    return [
        Row("beside", f"{writers}: p99", alone, unit="ms"),
        Row("beside", f"{writers} beside {UPLOADERS} uploaders of 20 MB: p99", beside, 100.0, at_most=True, unit="ms"),
        Row("beside", "the longest write-ahead log then", logs, LOG_MB, at_most=True, unit="MB"),
    ]


def _run(setting: Setting, *, uploaders: int) -> tuple[list[float], int]:
    """Give the milliseconds of each small write, and the bytes of the longest log."""
    path = create(setting.fresh())
    log, longest = path.with_name(f"{path.name}-wal"), 0
    kinds = ["write"] * WRITERS + ["upload"] * uploaders
    command = [sys.executable, "-m", "bench.beside"]
    arguments = [str(path), str(4 * setting.seconds)]
    started = [subprocess.Popen([*command, kind, *arguments], cwd=ROOT, stdout=subprocess.PIPE) for kind in kinds]
    while any(process.poll() is None for process in started):
        longest = max(longest, log.stat().st_size if log.exists() else 0)
        time.sleep(_LOOK_SECONDS)
    answers = [json.loads(process.communicate()[0]) for process in started]
    return [took for kind, answer in zip(kinds, answers, strict=True) if kind == "write" for took in answer], longest


def _one_row(tx: Tx, name: str) -> None:
    tx.execute("INSERT INTO secrets (name, value) VALUES (?, ?)", (name, "x" * 500))


async def _write(kind: str, path: Path, seconds: float) -> list[float]:
    """Write, or upload, for some seconds; give the milliseconds of each."""
    store = await Store.open(f"sqlite:///{path}")
    took: list[float] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.perf_counter()
        if kind == "upload":
            kept = await store.pictures.keep("image/png", PICTURE)
            await store.pictures.remove([kept.name or ""])
        else:
            await store.write(_one_row, uuid4().hex)
        took.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(PAUSE)
    await store.close()
    return took


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_write(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))))
