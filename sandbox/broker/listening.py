"""Whether something listens on a port of this machine."""

import socket
import time
from contextlib import suppress

from sandbox.broker.errors import BrokerFailed

_POLL_SECONDS = 0.05


def listens(port: int) -> bool:
    """Say whether a connection to a port is taken."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


def await_port(port: int) -> None:
    """Wait until the name server listens on a port. Raises `BrokerFailed` after five seconds."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        if listens(port):
            return
        time.sleep(_POLL_SECONDS)
    raise BrokerFailed(f"Erlang's name server did not open port {port}")
