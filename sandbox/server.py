"""Run the stand-ins on loopback until told to stop."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import uvicorn
from starlette.applications import Starlette

from sandbox.app import build
from sandbox.settings import Provider, SandboxSettings

_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stand-ins listen: base URLs without a slash at the end."""

    sandbox: str
    iacrea: str
    homedesigns: str


async def serve(
    settings: SandboxSettings,
    started: asyncio.Event | None = None,
    stop: asyncio.Event | None = None,
    announce: Callable[[Addresses], None] | None = None,
) -> None:
    """Serve until `stop` is set. `announce` hears the addresses, port 0 resolved, before `started` is set.

    Raises OSError where a port is taken.
    """
    stop = stop or asyncio.Event()
    main = listen(settings.host, settings.port)
    settings = replace(settings, port=main.getsockname()[1])
    app = build(settings)
    doors = _ProviderPorts(app, settings)
    server = Server(app, lifespan="on")
    try:
        running = asyncio.create_task(server.serve(sockets=[main]))
        await server.listening(running)
        await doors.open_all()
        if announce is not None:
            announce(doors.addresses())
        if started is not None:
            started.set()
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        app.state.closing.set()
        await doors.close_all()
        server.should_exit = True
        await running
    finally:
        main.close()


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to whoever started it."""

    def __init__(self, app: Starlette, *, lifespan: Literal["on", "off"]) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan=lifespan,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=1,
            backlog=_BACKLOG,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def listening(self, running: asyncio.Task[None]) -> None:
        """Wait until requests are served; raises what stopped the server instead."""
        while not self.started:
            if running.done():
                running.result()
                raise OSError("the stand-ins stopped before they listened")
            await asyncio.sleep(0.005)


class _ProviderPorts:
    """The ports that belong to one provider, which can be closed so that connections are refused."""

    def __init__(self, app: Starlette, settings: SandboxSettings) -> None:
        self._app = app
        self._settings = settings
        own: dict[Provider, int | None] = {
            "iacrea": settings.iacrea_port,
            "homedesigns": settings.homedesigns_port,
        }
        self._ports = {provider: port for provider, port in own.items() if port is not None}
        self._open: dict[Provider, tuple[Server, asyncio.Task[None]]] = {}
        self._turn = asyncio.Lock()
        app.state.control.door = self.turn

    def addresses(self) -> Addresses:
        """Say where to find what."""
        base = replace(self._settings, public_url="").base_url
        head = base.rpartition(":")[0]
        own: dict[Provider, str] = {each: f"{head}:{port}" for each, port in self._ports.items()}
        return Addresses(base, own.get("iacrea", base), own.get("homedesigns", base))

    async def open_all(self) -> None:
        """Listen on every provider's own port."""
        for provider in list(self._ports):
            await self.turn(provider, "open")

    async def close_all(self) -> None:
        """Stop listening on them."""
        for provider in list(self._ports):
            await self.turn(provider, "shut")

    async def turn(self, provider: Provider, to: Literal["open", "shut"]) -> None:
        """Open or close one provider's port; nothing where it has none of its own."""
        async with self._turn:
            if provider not in self._ports or (to == "open") == (provider in self._open):
                return
            if to == "open":
                listener = listen(self._settings.host, self._ports[provider])
                self._ports[provider] = listener.getsockname()[1]
                server = Server(self._app, lifespan="off")
                running = asyncio.create_task(server.serve(sockets=[listener]))
                await server.listening(running)
                self._open[provider] = server, running
                return
            server, running = self._open.pop(provider)
            server.should_exit = True
            await running


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, because asyncio turns Nagle's delay off only for a socket that says so: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)  # two may have bound the port: only one can listen, and who cannot learns it here
    except OSError:
        listener.close()
        raise
    listener.settimeout(0)
    return listener
