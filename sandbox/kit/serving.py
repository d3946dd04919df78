"""Serve one stand-in on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.app import Sandbox
from sandbox.clips import CLIP
from sandbox.kit.life import Life
from sandbox.kit.standin import KitStandIn
from sandbox.server import Server, listen

NAMES = ("fal", "kling", "replicate", "runway")
"""The providers that have a stand-in here."""


def stand_in_for(provider: str) -> KitStandIn:
    """Build the stand-in of a provider. Raises ModuleNotFoundError where there is none."""
    found: KitStandIn = import_module(f"sandbox.kit.{provider}").StandIn()
    return found


@asynccontextmanager
async def serving(
    stand_in: KitStandIn, *, port: int = 0, outage: Callable[[], str | None] = lambda: None
) -> AsyncIterator[KitStandIn]:
    """Serve a stand-in on 127.0.0.1 until the block ends, and set its `base_url`. Raises OSError for a taken port.

    While `outage` names one, every request meets it: `hang`, or else a 503.
    """
    listener = listen("127.0.0.1", port)
    stand_in.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    routes = [Route("/clips/{name}", _clip, methods=["GET"]), *stand_in.routes()]
    server = Server(_OutOfOrder(routes, outage), lifespan="off")
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.listening(running)
        yield stand_in
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def living(provider: str, *, seconds: float, seed: int = 1, port: int = 0) -> AsyncIterator[Life]:
    """Serve a provider's stand-in whose jobs take so many seconds, and call back. Raises OSError for a taken port."""
    life = Life(stand_in_for(provider), seconds, seed)
    async with serving(life.stand_in, port=port, outage=lambda: life.habits.outage):
        try:
            yield life
        finally:
            await life.close()


def environment(stand_in: KitStandIn) -> dict[str, str]:
    """Name the settings with which a service uses a stand-in that is served."""
    return {f"REELBUS_{stand_in.provider}_{name}".upper(): value for name, value in stand_in.settings().items()}


async def _clip(request: Request) -> Response:  # noqa: ARG001 - every endpoint is given one
    return FileResponse(CLIP, media_type="video/mp4")


class _OutOfOrder(Sandbox):
    """An application of which every request meets the same fault, for as long as there is one."""

    def __init__(self, routes: Sequence[Route], outage: Callable[[], str | None]) -> None:
        super().__init__(routes=routes)
        self._outage = outage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._outage() is None:
            await super().__call__(scope, receive, send)
            return
        while self._outage() == "hang":  # noqa: ASYNC110 - whoever lifts it only changes the habits
            await asyncio.sleep(0.1)
        await JSONResponse({"error": "out of order"}, 503)(scope, receive, send)
