"""Try a subscriber out from outside: send its queue what a bus may bring, and watch what becomes of it.

The messages go to the one queue alone, marked as tests. What can be seen of a subscriber over AMQP is whether its
queue empties, whether messages come back, whether its consumers stay, and what arrives in its dead-letter queue.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity

from process.settings import Settings
from publisher.connect import close, connect
from publisher.connection_errors import reason
from publisher.signing import signing
from publisher.subscriber_trials import Trial, trials
from publisher.timing import TIMING
from publisher.trigger import TEST_HEADER
from publisher.watch import BrokerUnavailable

TAKEN_SECONDS = 10.0
"""Within this time a subscriber should have taken what it was sent."""

HELD_SECONDS = 2.0
"""For how long what was taken must stay taken."""


_LOOK_SECONDS = 0.05
_MOST_LETTERS = 1000


class NoSuchQueue(Exception):
    """The queue does not exist; the message names it."""


class Verdict(NamedTuple):
    """What one trial showed; `mend` is empty where all was well."""

    name: str
    ok: bool
    mend: str


class _Count(NamedTuple):
    ready: int
    consumers: int


async def check_subscriber(
    settings: Settings,
    queue: str,
    *,
    dead_queue: str | None = None,
    tell: Callable[[Verdict], None],
    taken_within: float = TAKEN_SECONDS,
    held_for: float = HELD_SECONDS,
) -> bool:
    """Send a queue's subscriber every kind of message, tell a verdict each, and say whether it stood all.

    `dead_queue` is where its dead letters go, by default the queue's name and `.dead` where there is such a queue.
    Raises `NoSuchQueue`, and `BrokerUnavailable`.
    """
    try:
        async with _connected(settings) as connection:
            examiner = _Examiner(connection, queue, dead_queue or f"{queue}.dead", taken_within, held_for)
            return await examiner.run(trials(signing(settings)), tell)
    except NoSuchQueue:
        raise
    except Exception as error:
        raise BrokerUnavailable(reason(error)) from error


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[AbstractConnection]:
    connection = await connect(settings, TIMING, name="check-subscriber")
    try:
        yield connection
    finally:
        await close(connection, within=TIMING.close)


class _Examiner:
    def __init__(
        self, connection: AbstractConnection, queue: str, dead_queue: str, taken_within: float, held_for: float
    ) -> None:
        self._connection = connection
        self._queue = queue
        self._dead_queue = dead_queue
        self._taken_within = taken_within
        self._held_for = held_for
        self._channel: AbstractChannel | None = None

    async def run(self, trials: Sequence[Trial], tell: Callable[[Verdict], None]) -> bool:
        """Try one thing after the other, as long as there is a subscriber."""
        before = await self._count()
        if before.consumers == 0:
            tell(Verdict("subscribed", ok=False, mend=f"nobody consumes {self._queue}: start the subscriber first"))
            return False
        if not await self._drained(self._taken_within):
            tell(Verdict("keeps up", ok=False, mend=f"{before.ready} messages wait in {self._queue} and stay there"))
            return False
        verdicts = []
        for trial in trials:
            verdicts.append(await self._try(trial, before.consumers))
            tell(verdicts[-1])
            if not (verdicts[-1].ok or await self._recovered(before.consumers)):
                break
        await self._tidy()
        return all(verdict.ok for verdict in verdicts)

    async def _try(self, trial: Trial, consumers: int) -> Verdict:
        letters = await self._letters()
        await self._send(trial.messages)
        if not await self._drained(self._taken_within):
            return Verdict(
                trial.name, ok=False, mend="not taken in time: acknowledge every message, and raise no prefetch of 0"
            )
        returns, left = await self._watch(consumers)
        if left:
            return Verdict(trial.name, ok=False, mend="the subscriber left: catch what one message raises")
        if returns:
            return Verdict(trial.name, ok=False, mend="put back again and again: acknowledge what you do not act on")
        if not trial.may_be_dead_lettered and (letters is None or await self._letters() != letters):
            return self._dead_lettered(trial, letters)
        return Verdict(trial.name, ok=True, mend="")

    def _dead_lettered(self, trial: Trial, letters: int | None) -> Verdict:
        if letters is None:  # nobody can see whether it was dropped, and so it is not held against the subscriber
            return Verdict(trial.name, ok=True, mend="")
        return Verdict(trial.name, ok=False, mend=f"went to {self._dead_queue}: acknowledge it instead of rejecting it")

    async def _send(self, messages: Sequence[Message]) -> None:
        channel = await self._connection.channel()
        try:
            publish = channel.default_exchange.publish
            async with asyncio.timeout(TIMING.confirm):
                await asyncio.gather(*(publish(message, self._queue, mandatory=True) for message in messages))
        finally:
            await channel.close()

    async def _drained(self, within: float) -> bool:
        deadline = time.monotonic() + within
        while (await self._count()).ready:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def _watch(self, consumers: int) -> tuple[int, bool]:
        """Count how often messages came back, and say whether a consumer left.

        What is put back goes to the next consumer at once and is never seen waiting. So we are one of them meanwhile.
        """
        returned: list[str] = []
        channel = await self._connection.channel()
        try:
            await channel.set_qos(prefetch_count=1)
            queue = await channel.get_queue(self._queue, ensure=False)
            await queue.consume(partial(_receive_returned, returned=returned))
            left = await self._left(consumers)
        finally:
            await channel.close()
        return len(returned), left

    async def _left(self, consumers: int) -> bool:
        deadline = time.monotonic() + self._held_for
        while time.monotonic() < deadline:
            if (await self._count()).consumers - 1 < consumers:
                return True
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def _recovered(self, consumers: int) -> bool:
        """Say whether, after a trial that it failed, the subscriber is there and its queue is empty again."""
        await self._drained(self._taken_within)
        now = await self._count()
        return now.consumers >= consumers and now.ready == 0

    async def _count(self) -> _Count:
        found = await self._passively(self._queue)
        if found is None:
            raise NoSuchQueue(f"there is no queue {self._queue}")
        return found

    async def _letters(self) -> int | None:
        found = await self._passively(self._dead_queue)
        return None if found is None else found.ready

    async def _passively(self, queue: str) -> _Count | None:
        if self._channel is None or self._channel.is_closed:
            self._channel = await self._connection.channel()
        try:
            async with asyncio.timeout(TIMING.declare):
                declared = (await self._channel.declare_queue(queue, passive=True)).declaration_result
        except (ChannelNotFoundEntity, ChannelClosed):
            return None
        return _Count(declared.message_count or 0, declared.consumer_count or 0)

    async def _tidy(self) -> None:
        """Take our own messages out of the dead-letter queue; everybody else's stay."""
        letters = await self._letters()
        if not letters:
            return
        channel = await self._connection.channel()  # what is not acknowledged returns when it is closed
        try:
            queue = await channel.get_queue(self._dead_queue, ensure=False)
            for _ in range(min(letters, _MOST_LETTERS)):
                letter: Any = await queue.get(fail=False, timeout=TIMING.declare)
                if letter is None:
                    break
                if TEST_HEADER in letter.headers:
                    await letter.ack()
        finally:
            await channel.close()


async def _receive_returned(message: AbstractIncomingMessage, *, returned: list[str]) -> None:
    """Keep a message of ours that was put back; what is anybody else's is theirs."""
    if TEST_HEADER in message.headers:
        returned.append(message.message_id or "")
        await message.ack()
    else:
        await message.reject(requeue=True)
