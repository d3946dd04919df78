"""Settle open videos as the poller does once it knows of their ends: one transaction each, committed in groups.

`python -m bench.settling DATABASE_URL`: each line of standard input is a first number and a count; when those
videos are claimed, their number is printed, and when they are settled, the seconds of processor time that it took.
"""

import asyncio
import sys
import time

import uvloop

from bench.seeding import attempt_id
from jobs import check
from jobs.policy import Policy
from providers.reports import Ready
from store import attempts
from store.attempts import AttemptRow
from store.database import Store
from store.transaction import Tx

_AT_ONCE = 64


async def _settle(store: Store, claimed: list[AttemptRow]) -> None:
    waiting = iter(claimed)
    policy = Policy()

    async def work() -> None:
        for attempt in waiting:
            report = Ready((f"https://cdn.example/animations/{attempt.provider_job_id}/clip.mp4",))
            await store.write_small(check.apply, policy, attempt, report, owner="bench", now=time.time())

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


def _claimed(tx: Tx, first: int, count: int) -> list[AttemptRow]:
    found = [attempts.get(tx, attempt_id(number)) for number in range(first, first + count)]
    return [attempt for attempt in found if attempt is not None]


async def _main(url: str) -> None:
    store = await Store.open(url)
    loop = asyncio.get_running_loop()
    print("open", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        first, count = map(int, line.split())
        claimed = await store.read(_claimed, first, count)
        print(len(claimed), flush=True)
        before = time.process_time()
        await _settle(store, claimed)
        print(time.process_time() - before, flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1]))
