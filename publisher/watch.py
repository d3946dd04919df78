"""Watch events as they arrive at the broker, if wanted from earlier on.

Live watching brings a queue of its own, as any subscriber would. Earlier events are read from the log stream,
and after them the stream itself is followed, so that there is no seam; a lost connection is then taken up
again where it broke, while a live watch misses what passed meanwhile.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from process.asyncio_events import wait_any
from process.settings import Settings
from publisher.binding import takes
from publisher.broker_state import BrokerState
from publisher.connection import BrokerConnection
from publisher.connection_errors import reason
from publisher.supervisor import link, supervise
from publisher.timing import TIMING, Timing
from publisher.topology import log_stream

OFFSET = "x-stream-offset"
QUIET_SECONDS = 0.5
"""For how long the log must say nothing more before the newest event is known."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGO = re.compile(r"(\d{1,9})([smhd])")

logger = structlog.get_logger(__name__)


class BrokerUnavailable(Exception):
    """The broker could not be reached to begin with; the message says why."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as it came from the broker; `body` is the CloudEvents document."""

    routing_key: str
    body: bytes


OnEvent = Callable[[Arrival], None]


def seconds_ago(start: str) -> float | None:
    """Read a start: `first` is infinitely long ago, `last` is None, `1h` is 3600.

    Raises ValueError with the mend.
    """
    if start == "first":
        return float("inf")
    if start == "last":
        return None
    ago = _AGO.fullmatch(start)
    if ago is None:
        raise ValueError("must be first, last, or how long ago, as in 90s, 30m, 1h or 7d")
    return float(ago[1]) * _UNITS[ago[2]]


async def watch(
    settings: Settings,
    binding: str,
    start: str | None,
    on_event: OnEvent,
    stop: asyncio.Event,
    *,
    ready: asyncio.Event | None = None,
    timing: Timing = TIMING,
) -> None:
    """Call `on_event` for every event that the binding takes, until told to stop.

    Without a start only what happens from now on; `first`, or a time such as `1h`, begins with what the log
    has from then; `last` with the newest event of the log. `ready` is set as soon as no later event can be
    missed. Raises `BrokerUnavailable` if there is no broker to begin with, ValueError for a start of another
    form, and whatever `on_event` does.
    """
    begin = None if start is None else seconds_ago(start)
    try:
        async with link(settings, BrokerState(), timing, name="watch"):
            pass
    except Exception as error:
        raise BrokerUnavailable(reason(error)) from error
    watcher = _Watcher(settings.exchange, binding, on_event, stop, ready or asyncio.Event(), timing)
    if start is None:
        work = watcher.live
    elif begin is None:
        work = watcher.last
    else:
        watcher.since = time.time() - begin if begin != float("inf") else 0.0
        work = watcher.replay
    await supervise(settings, work, name="watch", state=BrokerState(), stop=stop, timing=timing)
    if watcher.failure is not None:
        raise watcher.failure


class _Watcher:
    def __init__(
        self,
        exchange: str,
        binding: str,
        on_event: OnEvent,
        stop: asyncio.Event,
        ready: asyncio.Event,
        timing: Timing,
    ) -> None:
        self.since = 0.0
        self.failure: Exception | None = None
        self._exchange = exchange
        self._binding = binding
        self._on_event = on_event
        self._stop = stop
        self._ready = ready
        self._timing = timing
        self._next_offset: int | None = None
        self._newest_told = False

    async def live(self, link: BrokerConnection) -> None:
        """Tell what arrives in a queue that lives as long as the connection."""
        queue = await self._own_queue(link)
        await queue.consume(self._emit)
        await self._until_stopped(link)

    async def replay(self, link: BrokerConnection) -> None:
        """Tell what the log has since `since`, and then what is added to it."""
        start: int | datetime | str = "first"
        if self._next_offset is not None:
            start = self._next_offset
        elif self.since:
            start = datetime.fromtimestamp(self.since, UTC)
        log = await self._log(link)
        await log.consume(self._emit_logged, arguments={OFFSET: start})
        await self._until_stopped(link)

    async def last(self, link: BrokerConnection) -> None:
        """Tell the newest event of the log, and then what arrives.

        The log gives its last piece, however many events that has; those that also come to a queue of our own
        are later ones, and the last of the others is the newest.
        """
        if self._newest_told:
            return await self.live(link)
        queue = await self._own_queue(link)
        later: list[AbstractIncomingMessage] = []
        logged: list[AbstractIncomingMessage] = []
        holding = True

        async def on_message(message: AbstractIncomingMessage) -> None:
            if holding:
                later.append(message)
            else:
                await self._emit(message)

        await queue.consume(on_message)
        await self._read_last(link, logged)
        known = {message.message_id for message in later}
        newest = [message for message in logged if message.message_id not in known][-1:]
        for message in newest:
            if takes(self._binding, message.routing_key or ""):
                self._hand_over(message)
        for message in later:
            await self._emit(message)
        holding, self._newest_told = False, True
        return await self._until_stopped(link)

    async def _read_last(self, link: BrokerConnection, logged: list[AbstractIncomingMessage]) -> None:
        heard = asyncio.Event()

        async def on_message(message: AbstractIncomingMessage) -> None:
            logged.append(message)
            heard.set()
            await message.ack()

        log = await self._log(link)
        tag = await log.consume(on_message, arguments={OFFSET: "last"})
        while not self._stop.is_set():
            heard.clear()
            await wait_any(heard, self._stop, link.lost, timeout=QUIET_SECONDS)
            if not heard.is_set():
                break
        link.raise_if_lost()
        await log.cancel(tag)

    async def _own_queue(self, link: BrokerConnection) -> AbstractQueue:
        channel = await link.consuming_channel(prefetch=self._timing.window)
        async with asyncio.timeout(self._timing.declare):
            queue = await channel.declare_queue(exclusive=True, auto_delete=True, arguments={"x-queue-type": "classic"})
            await queue.bind(self._exchange, self._binding)
        return queue

    async def _log(self, link: BrokerConnection) -> AbstractQueue:
        channel = await link.consuming_channel(prefetch=self._timing.window)
        return await channel.get_queue(log_stream(self._exchange), ensure=False)

    async def _until_stopped(self, link: BrokerConnection) -> None:
        self._ready.set()
        link.state.clear_error()
        await link.until(self._stop)

    async def _emit(self, message: AbstractIncomingMessage) -> None:
        self._hand_over(message)
        await message.ack()

    async def _emit_logged(self, message: AbstractIncomingMessage) -> None:
        if self._is_wanted(message):
            self._hand_over(message)
        await message.ack()

    def _is_wanted(self, message: AbstractIncomingMessage) -> bool:
        offset = message.headers.get(OFFSET)
        if isinstance(offset, int):
            # The log gives whole pieces, which may begin before the place that was asked for.
            if self._next_offset is not None and offset < self._next_offset:
                return False
            self._next_offset = offset + 1
        young = message.timestamp is None or message.timestamp.timestamp() >= int(self.since)
        return young and takes(self._binding, message.routing_key or "")

    def _hand_over(self, message: AbstractIncomingMessage) -> None:
        if self.failure is not None:
            return
        try:
            self._on_event(Arrival(message.routing_key or "", message.body))
        except Exception as error:  # the caller's own, as where its output was closed
            self.failure = error
            self._stop.set()
