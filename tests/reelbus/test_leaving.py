"""Whoever stops a process is told that it finishes first and what it leaves; a second signal ends it at once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reelbus.conftest import ROOT

WAITS_FOR_EVER = """
import asyncio
from process.asyncio_events import on_signal

async def main():
    stop = on_signal()
    print("ready", flush=True)
    await stop.wait()
    print("stopping", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def started(tmp_path: Path, *words: str) -> "subprocess.Popen[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": str(ROOT), "REELBUS_HOMEDESIGNS_TOKEN": "token"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_a_process_that_is_still_finishing(tmp_path: Path, number: signal.Signals) -> None:
    process = started(tmp_path, "-c", WAITS_FOR_EVER)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.stdout.readline() == "stopping\n"
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == -number


def test_a_role_says_that_it_is_stopping_and_what_is_left_for_the_next_start(tmp_path: Path) -> None:
    process = started(tmp_path, "-m", "reelbus", "generator")
    assert process.stderr is not None
    assert json.loads(process.stderr.readline())["event"] == "starting"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=50)
    lines = [json.loads(line) for line in errors.splitlines()]
    assert any("a second signal ends at once" in line["event"] for line in lines)
    left = {
        name: lines[-1].get(name) for name in ("event", "finished", "cancelled", "unpublished_events", "open_videos")
    }
    assert left == {"event": "stopped", "finished": 0, "cancelled": 0, "unpublished_events": 0, "open_videos": 0}
    assert process.returncode == 0
