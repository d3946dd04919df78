"""Which broker to use: the one named, the one that is there, a private one, or a container."""

import os
import sys
from pathlib import Path

from sandbox.broker import container
from sandbox.broker.binaries import installed, locate
from sandbox.broker.errors import BrokerMissing
from sandbox.broker.handshake import answers, is_private
from sandbox.broker.node import Node

USUAL_PORT = 5672
USUAL = f"amqp://guest:guest@127.0.0.1:{USUAL_PORT}/"


def start(node: Node, *, private: bool = False, owner: int | None = None, prefer: int | None = None) -> str:
    """Return the address of a broker that answers, starting `node` if there is none.

    A private node of another folder does not count: it ends with whoever started it. `owner` and `prefer` are
    those of `Node.start`.

    Raises:
        BrokerMissing: there is none and none can be had.
        BrokerFailed: there is RabbitMQ, but it would not start.
    """
    found = None if private else _offered()
    if found:
        return found
    try:
        locate()
    except BrokerMissing:
        if not container.possible():
            raise
        return container.start(node.folder)
    _say("running" if node.running else "starting", f"a private RabbitMQ in {_short(node.folder)}")
    return node.start(owner=owner, prefer=prefer)


def stop(node: Node, *, now: bool = False) -> None:
    """End the broker that `start` started, in whichever form."""
    container.stop(node.folder)
    node.stop(now=now)


def prepare() -> None:
    """Fetch the programs before they are needed, if they will be.

    Raises:
        BrokerMissing: they will be needed and cannot be had.
    """
    if _offered() or installed():
        return
    try:
        locate()
    except BrokerMissing:
        if not container.possible():
            raise


def _offered() -> str | None:
    """Return the broker that somebody set up already, if it is named or answers."""
    named = os.environ.get("REELBUS_AMQP_URL")
    if named:
        _say("using", "the one that REELBUS_AMQP_URL names")
        return named
    if answers(USUAL) and not is_private(USUAL):
        _say("using", "the one that answers on 127.0.0.1:5672")
        return USUAL
    return None


def _short(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _say(verb: str, what: str) -> None:
    sys.stderr.write(f"broker: {verb} {what}\n")
