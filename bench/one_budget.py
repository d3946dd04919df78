"""How often in a second one provider's budget can be taken from: `python -m bench.one_budget`.

Each claim, of as many submissions or checks as a process has room for, locks and changes the provider's one row.
"""

import argparse
import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from bench.postgres import database, database_server
from jobs import budget
from jobs.policy import Policy
from schemas.names import Provider
from store.database import Store
from store.transaction import Tx

_PROVIDER = Provider("iacrea")
_POLICY = Policy(providers=(_PROVIDER,), rates={_PROVIDER: 1e9})


def take(tx: Tx, *, now: float) -> None:
    """Take one request out of the budget."""
    budget.spend(tx, _PROVIDER, budget.allowance(tx, _POLICY, _PROVIDER, now=now), 1, now=now)


async def _taken(url: str, seconds: float) -> int:
    store = await Store.open(url)
    try:
        taken, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            await store.write_unsynced(take, now=store.now())
            taken += 1
        return taken
    finally:
        await store.close()


def taken_by_one(url: str, seconds: float) -> int:
    """Take one after the other, as a process does, for so long; give how many."""
    return asyncio.run(_taken(url, seconds))


def main() -> None:
    """Measure with ever more processes, over a private server that is gone afterwards."""
    parser = argparse.ArgumentParser(prog="python -m bench.one_budget", description=__doc__)
    parser.add_argument("processes", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with database_server() as server:
        url = database(server)
        for processes in given.processes:
            with ProcessPoolExecutor(processes) as pool:
                counts = list(pool.map(partial(taken_by_one, seconds=given.seconds), [url] * processes))
            print(f"{processes} processes: {sum(counts) / given.seconds:,.0f} a second in all")


if __name__ == "__main__":
    main()
