"""Look up strangers' host names on threads of their own, so that a dead name server holds up nobody else's work.

The machine's resolver cannot be interrupted: a look-up that nobody waits for any more keeps its thread until the
resolver itself gives up. On a shared thread pool a few of those would stop the look-ups of the providers' names.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread

MAX_THREADS = 4
LOOK_UP_SECONDS = 10.0

LookUp = Callable[[str, int], list[str]]
"""Gives every address of a host, and blocks meanwhile; raises OSError where the name server fails."""


def addresses_of(host: str, port: int) -> list[str]:
    """Ask the machine's resolver for every address of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class NameThreads:
    """At most four look-ups at once, each on a thread of its own that does not keep the process from ending."""

    def __init__(self, look_up: LookUp = addresses_of, *, deadline: float = LOOK_UP_SECONDS) -> None:
        """Give up waiting after `deadline` seconds, the wait for a free thread included."""
        self._look_up = look_up
        self._deadline = deadline
        self._free = asyncio.Semaphore(MAX_THREADS)

    async def __call__(self, host: str, port: int) -> list[str]:
        """Give every address of a host. Raises TimeoutError, or OSError where the name server fails."""
        async with asyncio.timeout(self._deadline):
            await self._free.acquire()
            return await self._start(host, port)

    def _start(self, host: str, port: int) -> asyncio.Future[list[str]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def run() -> None:
            try:
                done = partial(_give, answer, self._look_up(host, port))
            except Exception as error:
                done = partial(_fail, answer, error)
            # The loop may be closed by the time a slow name server answers.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._free.release)
                loop.call_soon_threadsafe(done)

        Thread(target=run, name="look-up of a stranger's name", daemon=True).start()
        return answer


def _give(answer: asyncio.Future[list[str]], addresses: list[str]) -> None:
    if not answer.done():
        answer.set_result(addresses)


def _fail(answer: asyncio.Future[list[str]], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
