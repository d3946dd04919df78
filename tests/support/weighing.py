"""A receiver in a process of its own, and how much memory it has used."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.ports import free_port


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[tuple[int, int]]:
    """Run a receiver in a process of its own; give its port and its process id."""
    port = free_port()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.receiver_alone",
        str(folder),
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        assert await child.stdout.readline() == b"serving\n"
        yield port, child.pid
    finally:
        child.stdin.close()
        await child.wait()


def resident(pid: int) -> int:
    """Give the peak of a process's resident memory, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
