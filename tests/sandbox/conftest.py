"""Fixtures: a running pair of stand-ins, and a place that catches their webhooks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from sandbox.settings import SandboxSettings
from tests.sandbox.server import QUICK, Catcher, Opener, SandboxServer, running


@pytest_asyncio.fixture(loop_scope="session")
async def open_stand() -> AsyncIterator[Opener]:
    """Give a function that starts stand-ins with given settings."""
    async with AsyncExitStack() as stack:

        async def opener(**changes: object) -> SandboxServer:
            settings = SandboxSettings(**(QUICK | changes))  # type: ignore[arg-type]  # fields by name
            return await stack.enter_async_context(running(settings))

        yield opener


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared() -> AsyncIterator[SandboxServer]:
    """Give stand-ins that all tests share, for starting a pair each would take most of the time."""
    async with running(SandboxSettings(**QUICK)) as stand:  # type: ignore[arg-type]  # fields by name
        yield stand


@pytest_asyncio.fixture(loop_scope="session")
async def stand(shared: SandboxServer) -> SandboxServer:
    """Give the shared stand-ins as they were at the start; videos take a twentieth of a second."""
    await shared.http.post("/sandbox/reset")
    return shared


@pytest_asyncio.fixture(loop_scope="session")
async def catcher() -> AsyncIterator[Catcher]:
    """Give a place for webhooks and pictures."""
    caught = Catcher()
    server = await asyncio.start_server(caught.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    caught.url = f"http://127.0.0.1:{port}"
    async with server:
        yield caught
