"""Run the providers' stand-ins, and say how to point the service at them."""

import asyncio
import sys

from process import logs
from process.asyncio_events import on_signal
from reelbus.errors import BAD_USAGE, stop_with
from sandbox.server import Addresses, serve
from sandbox.settings import SandboxSettings


def serve_sandbox(*, port: int, render_seconds: float, render_clips: bool) -> None:
    """Serve both stand-ins on 127.0.0.1 until a signal."""
    logs.set_up()
    try:
        settings = SandboxSettings(port=port, render_seconds=render_seconds, render_clips=render_clips)
    except ValueError as error:
        stop_with(str(error), BAD_USAGE)
    try:
        asyncio.run(_serve(settings))
    except OSError as error:
        stop_with(f"cannot listen on 127.0.0.1:{port}: {error.strerror or error}; choose another with --port")


async def _serve(settings: SandboxSettings) -> None:
    def announce(addresses: Addresses) -> None:
        lines = "".join(f"  {name}={value}\n" for name, value in environment(settings, addresses).items())
        sys.stderr.write(f"stand-ins for both providers on {addresses.sandbox}; give the service:\n{lines}")

    await serve(settings, stop=on_signal(), announce=announce)


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
