"""A `reelbus dev` in a folder, and commands beside it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sandbox.broker.record import Record

ROOT = Path(__file__).parents[2]


class Dev:
    """A `reelbus dev` in a folder."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "dev.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "reelbus", "dev", "--port", str(port), *options],
                cwd=folder,
                env={**clean, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    def until(self, words: str) -> None:
        """Wait until it prints these words."""
        give_up_at = time.monotonic() + 90
        while words not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < give_up_at, self.output
            time.sleep(0.05)

    def broker(self) -> Record:
        """Give the record of its private broker."""
        record = Record.load(self.folder / ".run/dev/broker")
        assert record is not None
        return record

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal; give the exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def environment(self, **env: str) -> dict[str, str]:
        """Give the environment of a command that a person types in this folder."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**clean, "PATH": path, "PYTHONPATH": str(ROOT), **env}


def run_in(dev: Dev, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of reelbus in its folder."""
    return subprocess.run(
        [sys.executable, "-m", "reelbus", *words],
        cwd=dev.folder,
        env=dev.environment(**env),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
