"""Measure what grows with the history: `python -m bench.history 1000000` fills a store and asks it what operators ask.

It takes some minutes and 3 GB of disk for a million videos. It prints the longest of a few answers each, and then what
each step of a new video's life costs beside the same step in an empty store. For more than a million, fill and measure
one after the other: `--folder PLACE --only fill`, then `--folder PLACE --sweeps 2000`, which leaves the store there.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench import seeding
from bench.measures import quantile
from jobs import (
    accept,
    assignment,
    check,
    check_claims,
    erasure,
    feed,
    housekeeping,
    ledger,
    submission_claims,
    submit,
    view,
)
from jobs.accept import NewVideo
from jobs.policy import Policy
from providers.reports import Accepted, Ready
from schemas.names import PROVIDERS, Motion, Orientation, Provider, ProviderChoice, VideoStatus
from store.database import Store
from store.probe import probe
from store.transaction import Tx
from store.video_lists import Filter

ALL = 1_000_000_000
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


async def measure(url: str, *, now: float, sweeps: int = ALL) -> None:
    """Sum up, prune and erase what is old, as a poller would, and then ask."""
    store = await Store.open(url)
    try:
        await _steps("sweeps", partial(store.write, housekeeping.sweep, now=now), sweeps)
        await _steps(f"erasures of {erasure.AT_ONCE} old videos each", partial(_erase, store, now), ERASURES)
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


async def _erase(store: Store, now: float) -> int:
    return (await store.write(erasure.erase_old, KEPT_A_YEAR, now=now)).number


async def _steps(name: str, step: Callable[[], Awaitable[int]], most: int) -> None:
    """Take a step for as long as it finds something, but not more than `most` times; print how long it took."""
    took: list[float] = []
    found = 1
    while found and len(took) < most:
        before = time.perf_counter()
        found = await step()
        took.append(time.perf_counter() - before)
    slow = quantile(took, 0.99)
    print(f"{len(took)} {name}: {sum(took):.1f} s, p99 {slow * 1000:.1f} ms, longest {max(took) * 1000:.1f} ms")


NEW = NewVideo(
    motion=Motion.ZOOM_IN, orientation=Orientation.LANDSCAPE, prompt=None, choice=ProviderChoice("homedesigns"),
    fallback=False, metadata={}, image_url="https://pictures.example/house.png", picture=None, caller="bench",
    idempotency_key=None, fingerprint="",
)  # fmt: skip
LIVES = 200
ERASURES = 500
KEPT_A_YEAR = Policy(retention=365 * 86400 - 1)
HOMEDESIGNS = Provider("homedesigns")
POLICY = Policy(rates={HOMEDESIGNS: 1e9})


def submit_one(tx: Tx, now: float) -> None:
    """Claim an attempt, send it, and record that its provider took it."""
    for attempt, _ in submission_claims.claim(tx, POLICY, HOMEDESIGNS, owner="bench", room=1, now=now).work:
        submit.send(tx, attempt.id, owner="bench", now=now)
        submit.accepted(tx, POLICY, attempt, Accepted(f"new {attempt.id}"), sent_at=now, now=now)


def check_one(tx: Tx, now: float) -> None:
    """Claim a check, and settle what it finds."""
    for attempt in check_claims.claim(tx, POLICY, HOMEDESIGNS, owner="bench", room=1, now=now).work:
        check.apply(tx, POLICY, attempt, Ready(("https://cdn.example/v.mp4",)), owner="bench", now=now)


async def live(urls: Sequence[str], *, now: float) -> list[dict[str, float]]:
    """Live some new videos' lives in each of some stores, in turns; give the median seconds of each step."""
    steps: dict[str, Callable[[Tx], object]] = {
        "accept": lambda tx: accept.accept(tx, NEW, str, now=now),
        "route": lambda tx: assignment.route(tx, POLICY, now=now),
        "claim and submit": lambda tx: submit_one(tx, now),
        "check and settle": lambda tx: check_one(tx, now + 3600),
    }
    stores = [await Store.open(url) for url in urls]
    took: list[dict[str, list[float]]] = [{name: [] for name in steps} for _ in stores]
    try:
        for _ in range(LIVES):
            for store, seconds in zip(stores, took, strict=True):
                for name, step in steps.items():
                    seconds[name].append(await _timed(partial(store.write, step)))
    finally:
        for store in stores:
            await store.close()
    return [{name: median(each) for name, each in seconds.items()} for seconds in took]


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await ask()
    return time.perf_counter() - began


def main() -> None:
    """Seed a store, measure, and leave nothing behind unless a folder was given."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("videos", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the store there, and go on with the one that is there")
    parser.add_argument("--sweeps", type=int, default=ALL, help="measure no more of them; all by default")
    parser.add_argument("--only", choices=("fill",), help="fill the store, and leave the measuring to another run")
    given = parser.parse_args()
    now = time.time()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = given.folder or Path(temporary)
        path = folder / "reelbus.db"
        if not path.exists():
            seed(folder, given.videos, now=now)
        if given.only == "fill":
            return
        print(f"{given.videos} videos, {path.stat().st_size / 1e9:.2f} GB")
        url = f"sqlite:///{path}"
        asyncio.run(measure(url, now=now, sweeps=given.sweeps))
        with tempfile.TemporaryDirectory() as beside:
            shown(*asyncio.run(live([url, f"sqlite:///{seeding.create(Path(beside))}"], now=now)))


def shown(full: dict[str, float], empty: dict[str, float]) -> None:
    """Print what each step takes, beside the same in an empty store."""
    for name, seconds in full.items():
        print(f"{name:<45} {seconds * 1000:7.2f} ms, {seconds / empty[name]:.2f} times as long as in an empty store")


if __name__ == "__main__":
    main()
