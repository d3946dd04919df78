"""Start what is measured as processes of their own, and read what they use from /proc."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent
WAIT_SECONDS = 60.0


class Started:
    """One process, ended at the latest when the `with` block is left."""

    def __init__(self, command: Sequence[str], *, folder: Path, env: Mapping[str, str] | None = None) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}
        self.log = folder / f"{time.monotonic_ns()}.log"
        with self.log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**clean, "PYTHONPATH": str(ROOT), **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(kill=True)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def stop(self, *, kill: bool = False) -> None:
        """End the process and wait for its end."""
        if self.running:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self._process.wait(WAIT_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def line(self) -> str:
        """Read the next line of standard output. Raises RuntimeError with the log if the process ended."""
        stdout = self._process.stdout
        line = stdout.readline() if stdout is not None else b""
        if not line:
            raise RuntimeError(f"a process ended early: {self.log.read_text()[-3000:]}")
        return line.decode().strip()

    def tell(self, line: str) -> None:
        """Write a line to standard input."""
        if self._process.stdin is not None:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def wait_for_port(self, port: int) -> Self:
        """Wait until the process listens on a port of loopback."""

        def listening() -> bool:
            if not self.running:
                raise RuntimeError(f"a process ended early: {self.log.read_text()[-3000:]}")
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        until(listening, what=f"a process listening on {port}")
        return self

    def cpu(self) -> float:
        """Give the seconds of processor time that all its threads have used."""
        return cpu_of(self.pid)

    def resident(self) -> float:
        """Give its resident memory in MB."""
        return resident_of(self.pid)


def cpu_of(pid: int) -> float:
    """Give the seconds of processor time that a process's living threads have used, to the microsecond."""
    used = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        used += int((thread / "schedstat").read_text().split()[0])
    return used / 1e9


def resident_of(pid: int) -> float:
    """Give a process's resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def free_port() -> int:
    """Find a port of loopback that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def until(condition: Callable[[], bool], *, what: str, within: float = WAIT_SECONDS) -> None:
    """Wait until something is so. Raises TimeoutError."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {within:g} s")
        time.sleep(0.02)
