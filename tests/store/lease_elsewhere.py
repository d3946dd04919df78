"""Take a lease over a store, as a process of another host: `python -m tests.store.lease_elsewhere URL NAME SECONDS`.

Prints whether it is its own now, and what time it is by this process's own clock.
"""

import asyncio
import sys
import time

from store import leases
from store.database import Store


async def _main(url: str, name: str, seconds: float) -> None:
    store = await Store.open(url)
    holder = await store.write(leases.acquire, name, owner="elsewhere", now=store.now(), seconds=seconds)
    await store.close()
    print(holder is not None and holder.owner == "elsewhere", time.time())


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
