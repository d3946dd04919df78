"""Serve one stand-in on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from sandbox.app import Sandbox
from sandbox.kit.standin import KitStandIn
from sandbox.server import Server, listen


def stand_in_for(provider: str) -> KitStandIn:
    """Build the stand-in of a provider. Raises ModuleNotFoundError where there is none."""
    found: KitStandIn = import_module(f"sandbox.kit.{provider}").StandIn()
    return found


@asynccontextmanager
async def serving(stand_in: KitStandIn, *, port: int = 0) -> AsyncIterator[KitStandIn]:
    """Serve a stand-in on 127.0.0.1 until the block ends, and set its `base_url`. Raises OSError for a taken port."""
    listener = listen("127.0.0.1", port)
    stand_in.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = Server(Sandbox(routes=stand_in.routes()), lifespan="off")
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.listening(running)
        yield stand_in
    finally:
        server.should_exit = True
        await running
