"""Servers on loopback and clients that talk to them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvloop

from providers.base import ProviderClient
from providers.capabilities import Given
from providers.homedesigns.client import HomeDesigns
from providers.iacrea.client import Iacrea
from tests.providers.orders import KEY, PATIENT, USER
from tests.providers.peer import Act, Peer


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on the loop on which the service runs: it has sockets of its own."""
    return {"uvloop": uvloop.new_event_loop}


MakePeer = Callable[..., Awaitable[Peer]]
MakeClient = Callable[..., ProviderClient]


@pytest.fixture
async def peer() -> AsyncIterator[MakePeer]:
    """Start servers that do what they are told."""
    peers: list[Peer] = []

    async def start(*acts: Act, host: str = "127.0.0.1", **more: Any) -> Peer:
        one = Peer(list(acts), **more)
        await one.start(host)
        peers.append(one)
        return one

    yield start
    for one in peers:
        await one.stop()


@pytest.fixture
async def iacrea() -> AsyncIterator[Callable[..., Iacrea]]:
    """Build IACrea clients."""
    async with contextlib.AsyncExitStack() as stack:

        def build(url: str, timeout: float = PATIENT, *, allow_private_outputs: bool = False, **more: Any) -> Iacrea:
            given = Given(url, {"api_key": KEY, "user_id": USER}, timeout, allow_private_outputs)
            client = Iacrea(given, **more)
            stack.push_async_callback(client.close)
            return client

        yield build


@pytest.fixture
async def homedesigns() -> AsyncIterator[Callable[..., HomeDesigns]]:
    """Build HomeDesigns clients."""
    async with contextlib.AsyncExitStack() as stack:

        def build(
            url: str, timeout: float = PATIENT, *, allow_private_outputs: bool = False, **more: Any
        ) -> HomeDesigns:
            client = HomeDesigns(Given(url, {"token": KEY}, timeout, allow_private_outputs), **more)
            stack.push_async_callback(client.close)
            return client

        yield build


@pytest.fixture(params=["iacrea", "homedesigns"])
def client(request: pytest.FixtureRequest) -> MakeClient:
    """Build clients of each provider in turn."""
    build: MakeClient = request.getfixturevalue(request.param)
    return build


@pytest.fixture
def closed_port() -> int:
    """Give a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Give a port whose queue is full, so that connecting to it never ends."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
