"""Remember the processes that we start, recognise them later, and end no others.

A process id alone is reused by the system; together with the moment it started it is not.
"""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PAUSE = 0.02  # seconds between two looks at a process that is ending


@dataclass(frozen=True, slots=True)
class Process:
    """One process of ours; `born` is when it started, in clock ticks since the machine did."""

    pid: int
    born: int


def identify(pid: int) -> Process:
    """Give the running process `pid` an identity that outlives it.

    Raises:
        ProcessLookupError: there is no such process.
    """
    return Process(pid, _born(pid))


def alive(process: Process) -> bool:
    """Say whether it is still the same process and still runs."""
    try:
        return _born(process.pid) == process.born
    except ProcessLookupError:
        return False


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal, unless the process has gone and its id is somebody else's by now."""
    if alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def end(process: Process, *, within: float) -> None:
    """Ask it to end, and insist after `within` seconds; 0 insists at once, and lets one that is frozen do no more."""
    if within:
        send(process, signal.SIGCONT)
        send(process, signal.SIGTERM)
    if not gone(process, within=within):
        send(process, signal.SIGKILL)
        gone(process, within=5.0)


def gone(process: Process, *, within: float) -> bool:
    """Say whether it ended within so many seconds."""
    deadline = time.monotonic() + within
    while alive(process):
        if time.monotonic() >= deadline:
            return False
        _reap(process.pid)
        time.sleep(PAUSE)
    return True


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):  # not a child of this very process: its parent will
        os.waitpid(pid, os.WNOHANG)


def _born(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(pid) from None
    state, *rest = status.rpartition(")")[2].split()
    if state == "Z":
        raise ProcessLookupError(pid)
    return int(rest[18])
