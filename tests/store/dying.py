"""Have a process write rows, each in one way of the store, and die at the very instant at which all are answered."""

import subprocess
import sys
from pathlib import Path

from tests.support.stores import rows, url_of

_ANSWERED_THEN_DEAD = """
import asyncio, os, sys
from store.database import Store
from tests.store.one_row import put

async def main():
    url, way, count = sys.argv[1:]
    store = await Store.open(url)
    await asyncio.gather(*(getattr(store, way)(put, f"row {number}") for number in range(int(count))))
    os._exit(9)

asyncio.run(main())
"""


def left_by_the_dead(path: Path, way: str, count: int) -> int:
    """Count the rows that are there afterwards; `way` names the method of `Store`."""
    dying = [sys.executable, "-c", _ANSWERED_THEN_DEAD, url_of(path), way, str(count)]
    assert subprocess.run(dying, check=False, timeout=50).returncode == 9
    return len(rows(path, "SELECT * FROM secrets"))
