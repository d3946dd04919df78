"""Eleven processes start at once over the write-ahead log that a crash left: `python -m bench.starting --log-mb 200`.

Says how many of them started and could write, and how long the slowest took.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, cast

from bench.processes import ROOT
from bench.seeding import create
from store import sqlite
from store.database import Store
from store.transaction import Tx

PROCESSES = 11
_CRASHED = 9
_PATIENCE = 100


def leave_log(path: Path, size: int) -> None:
    """Leave a log of so many bytes, as a process that dies in the middle of much writing does."""
    command = [sys.executable, "-m", "bench.starting", "--crash", str(path), str(size)]
    if subprocess.run(command, check=False, cwd=ROOT, timeout=_PATIENCE).returncode != _CRASHED:
        raise RuntimeError("no log was left")


def start_at_once(path: Path, processes: int = PROCESSES) -> list[float]:
    """Have processes open a store at the same moment, each write a row and close it.

    Gives the seconds of those that could.
    """
    command = [sys.executable, "-m", "bench.starting", "--open", str(path)]
    started = [
        subprocess.Popen([*command, f"process {number}"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(processes)
    ]
    for process in started:
        cast("IO[bytes]", process.stdout).readline()
    for process in started:
        go = cast("IO[bytes]", process.stdin)
        go.write(b"go\n")
        go.flush()
    answers = [process.communicate(timeout=_PATIENCE)[0] for process in started]
    return [float(answer) for process, answer in zip(started, answers, strict=True) if process.returncode == 0]


def _put(tx: Tx, name: str) -> None:
    tx.execute("INSERT INTO secrets (name, value) VALUES (?, 'x')", (name,))


async def _open_and_write(path: str, name: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    store = await Store.open(f"sqlite:///{path}")
    await store.write(_put, name)
    print(time.perf_counter() - began)
    await store.close()


def _crash(path: Path, size: int) -> None:
    connection = sqlite.connect(path)
    connection.execute("CREATE TABLE ballast (body BLOB)")
    log = path.with_name(f"{path.name}-wal")
    while log.stat().st_size < size:
        connection.execute("INSERT INTO ballast VALUES (zeroblob(500000))")
    os._exit(_CRASHED)


def main() -> None:
    """Leave a log and start over it, as often as is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.starting", description=__doc__)
    parser.add_argument("--log-mb", type=int, default=200)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--open", nargs=2, metavar=("STORE", "NAME"), help="be one of the processes")
    parser.add_argument("--crash", nargs=2, metavar=("STORE", "BYTES"), help="leave a log, and die")
    given = parser.parse_args()
    if given.open:
        asyncio.run(_open_and_write(*given.open))
        return
    if given.crash:
        _crash(Path(given.crash[0]), int(given.crash[1]))
    seconds: list[float] = []
    for _ in range(given.times):
        with tempfile.TemporaryDirectory() as folder:
            path = create(Path(folder))
            leave_log(path, given.log_mb * 2**20)
            seconds += start_at_once(path)
    asked = given.times * PROCESSES
    print(f"{len(seconds)} of {asked} started over a log of {given.log_mb} MB, the slowest in {max(seconds):.1f} s")


if __name__ == "__main__":
    main()
