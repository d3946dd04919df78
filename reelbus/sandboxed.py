"""Run the providers' stand-ins, and say how to point the service at them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from process import logs
from process.asyncio_events import on_signal
from reelbus.errors import BAD_USAGE, stop_with
from sandbox.kit import serving
from sandbox.server import Addresses, serve
from sandbox.settings import SandboxSettings


def serve_sandbox(*, port: int, render_seconds: float, render_clips: bool, everybody: bool = False) -> None:
    """Serve both stand-ins, or those for `everybody`, on 127.0.0.1 until a signal."""
    logs.set_up()
    try:
        settings = SandboxSettings(port=port, render_seconds=render_seconds, render_clips=render_clips)
    except ValueError as error:
        stop_with(str(error), BAD_USAGE)
    try:
        asyncio.run(_serve(settings, serving.NAMES if everybody else ()))
    except OSError as error:
        stop_with(f"cannot listen on 127.0.0.1:{port}: {error.strerror or error}; choose another with --port")


async def _serve(settings: SandboxSettings, others: Sequence[str]) -> None:
    stop = on_signal()
    async with living(settings, others) as variables:

        def announce(addresses: Addresses) -> None:
            given = environment(settings, addresses) | variables
            lines = "".join(f"  {name}={value}\n" for name, value in given.items())
            whose = "all providers" if others else "both providers"
            sys.stderr.write(f"stand-ins for {whose} on {addresses.sandbox}; give the service:\n{lines}")

        await serve(settings, stop=stop, announce=announce)


@asynccontextmanager
async def living(settings: SandboxSettings, names: Sequence[str]) -> AsyncIterator[dict[str, str]]:
    """Serve stand-ins of the kit on the ports after the others'; give the settings with which a service uses them.

    Raises OSError for a taken port.
    """
    async with AsyncExitStack() as stack:
        variables: dict[str, str] = {}
        for number, name in enumerate(names, start=1):
            port = settings.port and settings.port + number
            life = await stack.enter_async_context(serving.living(name, seconds=settings.render_seconds, port=port))
            variables |= serving.environment(life.stand_in)
        yield variables


def environment(settings: SandboxSettings, addresses: Addresses) -> dict[str, str]:
    """Name the settings with which the service uses the stand-ins."""
    return {
        "REELBUS_IACREA_URL": addresses.iacrea,
        "REELBUS_IACREA_API_KEY": settings.iacrea_api_key,
        "REELBUS_IACREA_USER_ID": settings.iacrea_user_id,
        "REELBUS_HOMEDESIGNS_URL": addresses.homedesigns,
        "REELBUS_HOMEDESIGNS_TOKEN": settings.homedesigns_token,
        # Their videos lie on loopback.
        "REELBUS_ALLOW_PRIVATE_OUTPUT_HOSTS": "true",
    }
