"""Answer whoever sent a command, over a connection of its own: what becomes of a reply harms no command.

A reply queue that is full, gone or silent is the asker's loss. It is counted, and the command stays done.
"""

import asyncio
from collections.abc import Sequence
from enum import StrEnum

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError, DeliveryError

from process import metrics
from process.line_limit import LimitedLog
from process.settings import Settings
from publisher.connect import close, connect
from publisher.connection_errors import reason
from publisher.timing import Timing

DIRECT_REPLY = "amq.rabbitmq.reply-to."
SERVER_NAMED = "amq.gen-"
TRIES = 3
"""Of one reply, where a channel was lost under it: that may have been another reply's fault."""

logger = structlog.get_logger(__name__)
lost = LimitedLog(logger)


class Fate(StrEnum):
    """What became of a reply."""

    SENT = "sent"
    NOT_ALLOWED = "not_allowed"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"


class Replies:
    """Sends replies, and reconnects by itself."""

    def __init__(self, settings: Settings, timing: Timing) -> None:
        self._settings = settings
        self._timing = timing
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None

    async def send(self, answer: Message, reply_to: str) -> Fate:
        """Send a reply, and say what became of it. Raises nothing."""
        fate = Fate.NOT_ALLOWED
        if may_be_answered(reply_to, self._settings.reply_to_prefixes):
            fate = await self._send(answer, reply_to)
        metrics.command_replies.labels(fate).inc()
        if fate is not Fate.SENT:
            lost.warning("reply lost", reply_to=reply_to, reason=fate)
        return fate

    async def _send(self, answer: Message, reply_to: str) -> Fate:
        for _ in range(TRIES):
            try:
                async with asyncio.timeout(self._timing.confirm):
                    channel = await self._open()
                    # Not mandatory: who asked may have gone, and the command is dealt with all the same.
                    await channel.default_exchange.publish(answer, reply_to, mandatory=False)
            except DeliveryError:
                return Fate.REFUSED
            except TimeoutError:
                return Fate.UNCONFIRMED
            except (AMQPError, RuntimeError, OSError) as error:
                logger.info("reply tried", reason=reason(error))
                await asyncio.sleep(self._timing.pause)
            except Exception as error:  # a property of the asker's that cannot be sent back
                logger.info("reply not sent", reason=reason(error))
                return Fate.REFUSED
            else:
                return Fate.SENT
        return Fate.UNCONFIRMED

    async def _open(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is not None and not self._channel.is_closed:
                return self._channel
            if self._connection is None or self._connection.is_closed:
                self._connection = await connect(self._settings, self._timing, name="replies")
            self._channel = await self._connection.channel(publisher_confirms=True)
            return self._channel

    async def close(self) -> None:
        """Close the connection, if there is one, in good time."""
        if self._connection is not None:
            await close(self._connection, within=self._timing.close)


def may_be_answered(reply_to: str, prefixes: Sequence[str]) -> bool:
    """Say whether a command may name this queue: it is written to with our rights, not with the asker's.

    Direct reply-to and queues that the broker named (exclusive to whoever asked) always; else only what begins
    with a prefix that the operator allows.
    """
    return reply_to.startswith((DIRECT_REPLY, SERVER_NAMED, *prefixes))
