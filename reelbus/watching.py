"""Print events from the broker as they arrive."""

import asyncio
import sys

from process import logs
from process.settings import Settings
from process.stopping import on_signal
from publisher.watch import Arrival, BrokerUnavailable, watch
from reelbus.errors import BAD_USAGE, settings_or_exit, stop_with


def watch_events(binding: str, since: str | None) -> None:
    """Print every event whose routing key the binding matches, one line of JSON each, until a signal."""
    settings = settings_or_exit()
    logs.set_up()
    try:
        asyncio.run(_watch(settings, binding, since))
    except ValueError as error:
        stop_with(f"--from {error}", BAD_USAGE)
    except BrokerUnavailable as error:
        stop_with(f"cannot watch: {error}; check REELBUS_AMQP_URL")


async def _watch(settings: Settings, binding: str, since: str | None) -> None:
    await watch(settings, binding, since, _print, on_signal())


def _print(arrival: Arrival) -> None:
    sys.stdout.write(arrival.body.decode().replace("\n", " ") + "\n")
    sys.stdout.flush()
