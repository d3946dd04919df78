"""A receiver in a process of its own, to be weighed: `python -m tests.support.receiver_alone FOLDER PORT`.

It prints a line once it serves, and ends when its standard input does.
"""

import asyncio
import sys
from pathlib import Path

import uvloop

from intake.context import Limits
from process import logs
from tests.support.receiver import serving


async def _main(folder: str, port: str) -> None:
    logs.set_up()
    limits = Limits()
    async with serving(Path(folder), port=int(port), limits=limits):
        print("serving", flush=True)
        await asyncio.to_thread(sys.stdin.read)


uvloop.run(_main(*sys.argv[1:]))
