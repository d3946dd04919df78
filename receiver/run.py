"""Serve until told to stop; then a graceful shutdown: no new requests, and time for those that are there."""

import asyncio
import errno
import resource
import socket
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import structlog
import uvicorn
from starlette.types import ASGIApp

from intake.context import Context
from process.asyncio_events import wait
from process.settings import Settings, WrongSettings
from receiver.app import build, build_health
from receiver.careful_http import CarefulHttp
from receiver.http_protocol import Connection, abort_stuck
from receiver.local import is_loopback
from receiver.plain_http import PlainHttp
from store import api_keys

_log = structlog.get_logger()

_GRACE_SECONDS = 5
_KEEP_ALIVE_SECONDS = 15
_BACKLOG = 2048
_FILES = 65_536

_ACCEPTED_A_TURN = 32
"""uvloop takes one connection a turn from each listening socket, which under load is far too few from one."""


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to whoever started it."""

    def __init__(
        self, config: uvicorn.Config, on_start: asyncio.Event | None, stop: asyncio.Event, *, send_stall: float
    ) -> None:
        super().__init__(config)
        self._send_stall = send_stall
        self._on_start = on_start
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when it serves."""
        await super().startup(sockets)
        if self._on_start is not None:
            self._on_start.set()

    async def main_loop(self) -> None:
        """Wait for the end; once a second meanwhile renew the Date header and look for clients that do not read."""
        while not self._stop.is_set():
            await self.on_tick(0)
            now = asyncio.get_running_loop().time()
            connections = cast("set[PlainHttp | CarefulHttp]", self.server_state.connections)
            abort_stuck(connections, now=now, seconds=self._send_stall)
            await wait(self._stop, timeout=1.0)


async def run(context: Context, stop: asyncio.Event, started: asyncio.Event | None = None) -> None:
    """Serve HTTP until `stop` is set, then finish what is in hand within about five seconds.

    `started` is set as soon as requests are taken. Raises `WrongSettings` where it may not or cannot listen.
    """
    settings = context.settings
    refuse_exposure(settings, keyed=bool(await context.store.read(api_keys.get_all)))
    listening = listen(settings.host, settings.port, "REELBUS_PORT")
    _log.info("receiver listening", url=settings.local_url, surface=settings.surface)
    await _serve(context, build(context), listening, stop, started)
    _log.info("receiver stopped")


async def run_health(context: Context, stop: asyncio.Event, started: asyncio.Event | None = None) -> None:
    """Serve health and metrics alone, on `REELBUS_HEALTH_PORT`: the internal port that every role may have.

    Raises `WrongSettings` where it cannot listen.
    """
    settings = context.settings
    listening = listen(settings.health_host or settings.host, settings.health_port or 0, "REELBUS_HEALTH_PORT")
    await _serve(context, build_health(context), listening, stop, started)


async def _serve(
    context: Context,
    app: ASGIApp,
    listening: socket.socket,
    stop: asyncio.Event,
    started: asyncio.Event | None,
) -> None:
    _allow_many_files()
    config = uvicorn.Config(
        app,
        http=cast("Any", partial(Connection, context.limits)),
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=context.limits.head_bytes,
    )
    server = _Server(config, started, stop, send_stall=context.limits.send_stall)
    ending = asyncio.create_task(_end(context, stop))
    try:
        await server.serve(sockets=[listening, *[listening.dup() for _ in range(_ACCEPTED_A_TURN - 1)]])
    finally:
        ending.cancel()
        context.stopping.set()
        listening.close()


async def _end(context: Context, stop: asyncio.Event) -> None:
    """End the answers that never end by themselves."""
    await stop.wait()
    context.stopping.set()


def refuse_exposure(settings: Settings, *, keyed: bool = False) -> None:
    """Raise `WrongSettings` if anybody on the network could use the API without a key.

    `keyed` says that there are keys in the store. The public surface has no API, and so needs no keys.
    """
    if settings.api_keys or keyed or settings.surface == "public" or is_loopback(settings.host):
        return
    raise WrongSettings(
        f"REELBUS_HOST is {settings.host}, which others can reach, but there are no API keys: set REELBUS_API_KEYS as"
        " name:key,name:key, create one with `reelbus keys create NAME`, or listen on 127.0.0.1"
    )


def listen(host: str, port: int, variable: str) -> socket.socket:
    """Open a port, which `variable` names. Raises `WrongSettings` with the mend."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise WrongSettings(f"REELBUS_HOST {host} is no address of this machine: {error.strerror}") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.settimeout(0)
    except OSError as error:
        listening.close()
        raise WrongSettings(_port_fault(host, port, variable, error)) from error
    return listening


def _port_fault(host: str, port: int, variable: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{variable} {port} is taken on {host}; stop what listens there or choose another port"
    if error.errno == errno.EACCES:
        return f"{variable} {port} needs privileges; choose one above 1023"
    return f"REELBUS_HOST {host} cannot be listened on: {error.strerror}; choose an address of this machine"


def _allow_many_files() -> None:
    """Every connection is an open file, and the usual soft limit of 1,024 is soon used up by slow senders."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
