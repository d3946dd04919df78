"""A receiver in a process of its own, so that a test can weigh it: `python -m tests.receiver.alone FOLDER PORT`.

It prints its process id once it serves, and ends when its standard input does.
"""

import asyncio
import os
import sys
from pathlib import Path

from receiver.context import Limits
from tests.receiver.serving import serving


async def _main(folder: str, port: str) -> None:
    limits = Limits(body_stall=float(os.environ.get("BODY_STALL", "30")), head_seconds=5)
    async with serving(Path(folder), port=int(port), limits=limits):
        print(os.getpid(), flush=True)
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(_main(*sys.argv[1:]))
