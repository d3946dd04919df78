"""Measure what grows with the history: `python -m bench.history 1000000` fills a store and asks it what operators ask.

It takes about a minute and 3 GB of disk for a million videos, and prints the longest of a few answers each.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import seeding
from jobs import feed, housekeeping, ledger, view
from schemas.names import PROVIDERS, VideoStatus
from store.database import Store
from store.probe import probe
from store.video_lists import Filter

RARE = 20
"""Videos of the rarer provider, the oldest of all."""

_LEDGER = """
    WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < :last)
    INSERT INTO credits (provider, attempt_id, entry, remaining, sent_at, at)
    SELECT 'iacrea', printf('%032x', n), 'spent', 100000000 - n, :at + n * :pace, :at + n * :pace + 0.5 FROM n
"""


def seed(folder: Path, videos: int, *, now: float) -> Path:
    """Fill a store with a year's finished videos."""
    path = seeding.create(folder)
    began = now - 365 * 86400
    for first in range(0, videos, 500_000):
        seeding.seed_finished(path, first, min(500_000, videos - first), at=began)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE videos SET provider = 'homedesigns' WHERE id <= ?", (seeding.video_id(RARE - 1),))
    connection.execute(_LEDGER, {"last": videos - 1, "at": began, "pace": (now - began) / videos})
    connection.commit()
    connection.close()
    return path


async def measure(path: Path, *, now: float) -> None:
    """Sum up and prune what is old, as a poller would, and then ask."""
    store = await Store.open(f"sqlite:///{path}")
    try:
        began, longest, sweeps = time.perf_counter(), 0.0, 0
        found = 1
        while found:
            before = time.perf_counter()
            found = await store.write(housekeeping.sweep, now=now)
            longest = max(longest, time.perf_counter() - before)
            sweeps += 1
        print(
            f"{sweeps} sweeps of all that was old: {time.perf_counter() - began:.1f} s, longest {longest * 1000:.1f} ms"
        )
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "credits": lambda: store.read(ledger.all_credits),
            "readiness": lambda: store.write(probe, now=time.time()),
            "overview": lambda: store.read(feed.overview),
            "sweep": lambda: store.write(housekeeping.sweep, now=now),
        }
        for status in (None, VideoStatus.READY, VideoStatus.FAILED):
            for provider in (None, *PROVIDERS):
                asked[f"list status={status} provider={provider}"] = lambda status=status, provider=provider: (
                    store.read(  # type: ignore[misc]  # bound at once
                        view.page, Filter(status, provider), cursor=None, limit=50
                    )
                )
        for name, ask in asked.items():
            took = [await _timed(ask) for _ in range(5)]
            print(f"{name:<45} first {took[0] * 1000:7.2f} ms   later {max(took[1:]) * 1000:7.2f} ms")
    finally:
        await store.close()


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await ask()
    return time.perf_counter() - began


def main() -> None:
    """Seed a store in a temporary folder, measure, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("videos", type=int, nargs="?", default=1_000_000)
    videos = parser.parse_args().videos
    now = time.time()
    with tempfile.TemporaryDirectory() as folder:
        path = seed(Path(folder), videos, now=now)
        print(f"{videos} videos, {path.stat().st_size / 1e9:.2f} GB")
        asyncio.run(measure(path, now=now))


if __name__ == "__main__":
    main()
