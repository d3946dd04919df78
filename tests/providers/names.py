"""The machine's look-up of names, answered by a test: every name is at 127.0.0.1, at ports of the test's choice."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
import uvloop


def name_server(monkeypatch: pytest.MonkeyPatch, ports: Callable[[str, int], list[int]]) -> None:
    """Have `ports` called with each name that is looked up, and the port that was asked for."""
    machine = uvloop.Loop.getaddrinfo

    async def look_up(loop: uvloop.Loop, host: Any, port: Any, **more: Any) -> Any:
        try:
            # uvloop sends addresses through here too before it connects to them.
            ip_address(host)
        except ValueError:
            found = ports(host, port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each)) for each in found]
        return await machine(loop, host, port, **more)

    monkeypatch.setattr(uvloop.Loop, "getaddrinfo", look_up)
