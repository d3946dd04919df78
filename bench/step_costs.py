"""What each step of a video costs over PostgreSQL, taken alone: `python -m bench.step_costs`.

Of each it prints the seconds by the clock, those of our own processor and those of PostgreSQL's. It feeds
`bench/service_times.py`.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from bench.history import HOMEDESIGNS, NEW, POLICY
from bench.postgres import database, database_server
from bench.processes import cpu_of
from jobs import accept, assignment, check, check_claims, confirms, housekeeping, submission_claims, submit
from providers.reports import Accepted, Ready
from setup.postgres.server import Server
from store import outbox
from store.database import Store
from store.outbox import OutboxEvent
from store.transaction import Tx

T = TypeVar("T")


class _Costs:
    """The sums of what each step took, of all videos together."""

    def __init__(self, server: Server, store: Store) -> None:
        self._store = store
        self._pids = server.pids
        self.sums: dict[str, list[float]] = {}

    async def of(self, name: str, step: Callable[[Tx], T], *, synced: bool = True) -> T:
        """Take a step, and add what it cost."""
        write = self._store.write if synced else self._store.write_unsynced
        theirs, ours, began = self._of_server(), time.process_time(), time.perf_counter()
        found = await write(step)
        took = [time.perf_counter() - began, time.process_time() - ours, self._of_server() - theirs]
        self.sums[name] = [one + more for one, more in zip(self.sums.get(name, [0.0] * 3), took, strict=True)]
        return found

    def _of_server(self) -> float:
        used = 0.0
        for pid in self._pids:
            with suppress(FileNotFoundError):  # a worker of its own that has ended
                used += cpu_of(pid)
        return used


async def measure(server: Server, videos: int) -> dict[str, list[float]]:
    """Take so many videos through all steps, one after the other; give each step's seconds a video."""
    store = await Store.open(database(server))
    costs = _Costs(server, store)
    try:
        for number in range(videos + 20):
            if number == 20:  # by then all connections are open, and their statements prepared
                costs = _Costs(server, store)
            await _one_video(costs, time.time())
    finally:
        await store.close()
    return {name: [each / videos for each in sums] for name, sums in costs.sums.items()}


async def _one_video(costs: _Costs, now: float) -> None:
    claim = partial(submission_claims.claim, policy=POLICY, provider=HOMEDESIGNS, owner="bench", room=1, now=now)
    look = partial(check_claims.claim, policy=POLICY, provider=HOMEDESIGNS, owner="bench", room=1, now=now + 3600)
    await costs.of("route nothing", lambda tx: assignment.route(tx, POLICY, now=now), synced=False)
    await costs.of("claim nothing to submit", claim, synced=False)
    await costs.of("accept", lambda tx: accept.accept(tx, NEW, str, now=now))
    await costs.of("route", lambda tx: assignment.route(tx, POLICY, now=now), synced=False)
    claimed = await costs.of("claim to submit", claim, synced=False)
    attempt = claimed.work[0][0]
    await costs.of("send", lambda tx: submit.send(tx, attempt.id, owner="bench", now=now))
    answer = Accepted(f"job of {attempt.id}")
    await costs.of("accepted", lambda tx: submit.accepted(tx, POLICY, attempt, answer, sent_at=now, now=now))
    found = await costs.of("claim to check", look, synced=False)
    ready = Ready(("https://cdn.example/v.mp4",))
    await costs.of("settle", lambda tx: check.apply(tx, POLICY, found.work[0], ready, owner="bench", now=now))
    await costs.of("claim nothing to check", look, synced=False)
    events = await costs.of("read events", lambda tx: outbox.sendable(tx, now=now + 1, limit=400), synced=False)
    await costs.of("mark events", partial(_mark, events=events, now=now), synced=False)
    await costs.of("sweep nothing", lambda tx: housekeeping.sweep(tx, now=now))


def _mark(tx: Tx, *, events: list[OutboxEvent], now: float) -> None:
    confirms.apply(tx, events, [], pause=(1.0, 60.0), limit=400, now=now)


def main() -> None:
    """Measure over a private server that is gone afterwards."""
    parser = argparse.ArgumentParser(prog="python -m bench.step_costs", description=__doc__)
    parser.add_argument("videos", type=int, nargs="?", default=300)
    videos = parser.parse_args().videos
    with database_server() as server:
        found = asyncio.run(measure(server, videos))
    print(f"{'step':<26} {'clock':>9} {'ours':>9} {'PostgreSQL':>11}   µs")
    for name, costs in found.items():
        wall, ours, theirs = (1e6 * each for each in costs)
        print(f"{name:<26} {wall:9,.0f} {ours:9,.0f} {theirs:11,.0f}")


if __name__ == "__main__":
    main()
