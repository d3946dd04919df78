"""Print events from the broker as they arrive."""

import asyncio
import json
import sys

from process import logs
from process.asyncio_events import on_signal
from process.settings import Settings
from publisher.watch import Arrival, BrokerUnavailable, watch
from reelbus.errors import BAD_USAGE, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.terminal import one_line, printable_json


def watch_events(binding: str, since: str | None) -> None:
    """Print every event whose routing key the binding matches, one line of JSON each, until a signal."""
    settings = settings_or_exit()
    logs.set_up()
    try:
        asyncio.run(_watch(settings, binding, since))
    except ValueError as error:
        stop_with(f"--from {error}", BAD_USAGE)
    except BrokerUnavailable as error:
        stop_with(f"cannot watch: {error}; check REELBUS_AMQP_URL", UNAVAILABLE)


async def _watch(settings: Settings, binding: str, since: str | None) -> None:
    await watch(settings, binding, since, _print, on_signal())


def _print(arrival: Arrival) -> None:
    sys.stdout.write(_line(arrival.body) + "\n")
    sys.stdout.flush()


def _line(body: bytes) -> str:
    """Show a message on one line, whatever it is: JSON as JSON, anything else with its controls escaped."""
    try:
        return printable_json(json.loads(body))
    except (ValueError, RecursionError):
        return one_line(body.decode(errors="replace"))
