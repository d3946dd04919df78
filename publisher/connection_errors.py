"""Why the broker is lost, in a sentence."""

import asyncio
import re

from aio_pika.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ChannelClosed,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    ConnectionClosed,
    ProbableAuthenticationError,
)


class ConnectionLost(Exception):
    """The connection can no longer be trusted: build a new one. The message says why, without any secret."""


_REASONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (ConnectionLost, "{}"),
    (asyncio.CancelledError, "the broker fell silent"),
    (TimeoutError, "the broker did not answer in time"),
    ((AuthenticationError, ProbableAuthenticationError), "the broker refused our credentials"),
    (ConnectionClosed, "the broker closed the connection: {}"),
    (ChannelPreconditionFailed, "the topology does not match: {}"),
    (ChannelNotFoundEntity, "something of the topology is missing: {}"),
    (ChannelClosed, "the broker closed the channel: {}"),
    ((AMQPConnectionError, ChannelInvalidStateError, OSError), "the broker cannot be reached"),
)


_TLS = re.compile(r"\[SSL: (\w+)\]")
"""What went wrong between two who show each other certificates, as Python's TLS names it."""

_HELD_TOO_LONG = "delivery acknowledgement on channel"


def reason(error: BaseException) -> str:
    """Say in a sentence why the broker is lost; never with an address, which may hold a password."""
    if isinstance(error, ChannelPreconditionFailed) and _HELD_TOO_LONG in str(error):
        return "a message was held longer than the broker's consumer time-out"
    if refused := _TLS.search(str(error)):
        return f"TLS: {refused[1].lower().replace('_', ' ')}; see cafile, certfile and keyfile of REELBUS_AMQP_URL"
    for kind, sentence in _REASONS:
        if isinstance(error, kind):
            return sentence.format(error)
    return f"unexpected {type(error).__name__}"
