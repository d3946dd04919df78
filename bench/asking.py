"""Ask a stand-in many times and print the seconds of processor time for each question.

`python -m bench.asking PORT`: each line of standard input is `ours` or `httpx` and a number of questions.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import httpx
import uvloop

from providers.capabilities import Given
from providers.iacrea.client import Iacrea
from providers.reports import Handle, Ready

_AT_ONCE = 8


async def _ask(ask: Callable[[], Awaitable[None]], count: int) -> float:
    left = iter(range(count))

    async def one() -> None:
        for _ in left:
            await ask()

    before = time.process_time()
    await asyncio.gather(*(one() for _ in range(_AT_ONCE)))
    return (time.process_time() - before) / count


async def _main(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    client = Iacrea(Given(url, {"api_key": "key", "user_id": "user"}, 10.0, allow_private_outputs=False))
    stock = httpx.AsyncClient()

    async def ours() -> None:
        if not isinstance(await client.check(Handle("some-job")), Ready):
            raise TypeError("the stand-in gave another answer")

    async def theirs() -> None:
        (await stock.get(f"{url}/api/animation/v2/get")).json()

    print("open", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        who, count = line.split()
        print(await _ask(ours if who == "ours" else theirs, int(count)), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1])))
