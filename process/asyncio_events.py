"""Stop politely: finish what is in hand, then leave."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reloads:
    """How often this process was told by SIGHUP to read its API keys again."""

    count: int = 0

    def hear(self) -> None:
        """Count SIGHUP from now on, instead of ending at it."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._add)

    def _add(self) -> None:
        self.count += 1
        _log.info("API keys are read again; other settings need a restart")


reloads = Reloads()


def on_signal() -> asyncio.Event:
    """Give an event that SIGTERM or SIGINT sets; a second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)
    return stop


async def wait_any(*events: asyncio.Event, timeout: float | None = None) -> None:
    """Wait until one of the events is set, at most `timeout` seconds."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def wait(event: asyncio.Event, *, timeout: float) -> None:
    """Wait until an event is set, at most `timeout` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await event.wait()


@asynccontextmanager
async def linked(event: asyncio.Event, *, by: tuple[asyncio.Event, ...]) -> AsyncIterator[None]:
    """Link an event to others: it is set with the first of them. Waiting for one costs far less than for all."""

    async def pass_on(other: asyncio.Event) -> None:
        await other.wait()
        event.set()

    passing = [asyncio.create_task(pass_on(other)) for other in by]
    try:
        yield
    finally:
        for task in passing:
            task.cancel()
