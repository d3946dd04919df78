"""Ports of loopback."""

import socket


def free_port() -> int:
    """Find a port of loopback that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
