"""Measure how late the event loop is (event-loop delay): what blocks it holds up everybody."""

import asyncio

from process import metrics
from process.asyncio_events import wait

_EVERY_SECONDS = 0.25


async def measure(stop: asyncio.Event) -> None:
    """Note again and again by how much a timer was late, until told to stop."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        due_at = loop.time() + _EVERY_SECONDS
        await wait(stop, timeout=_EVERY_SECONDS)
        if not stop.is_set():
            metrics.event_loop_delay_seconds.observe(max(0.0, loop.time() - due_at))
