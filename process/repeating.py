"""Take a step again and again, whatever it raises: a helper must not die silently."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from process import metrics
from process.asyncio_events import wait

_LONGEST_BACKOFF = 30.0

log = structlog.get_logger(__name__)


async def repeat(
    step: Callable[[], Awaitable[int]],
    stop: asyncio.Event,
    *,
    every: float,
    expected: tuple[type[Exception], ...] = (),
    wake: asyncio.Event | None = None,
) -> None:
    """Take a step every so many seconds, or when woken, and again at once while it says that there is more.

    An exception ends the step and no more than that: it is logged, counted unless it is one of `expected`, and the
    next step waits twice as long each time, 30 seconds at most.
    """
    failures = 0
    while not stop.is_set():
        if wake is not None:
            wake.clear()
        try:
            more = await step()
            failures = 0
        except expected as error:
            log.warning("step put off", step=step.__name__, error=str(error))
            more, failures = 0, 0
        except Exception as error:
            log.exception("step failed unexpectedly", step=step.__name__)
            metrics.unexpected_errors.labels(step.__name__, type(error).__name__).inc()
            more, failures = 0, failures + 1
        if failures:
            await wait(stop, timeout=min(every * 2.0**failures, _LONGEST_BACKOFF))
        elif not more:
            await wait(wake or stop, timeout=every)
