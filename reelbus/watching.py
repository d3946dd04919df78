"""Print events from the broker as they arrive: one aligned line each on a terminal, one line of JSON elsewhere."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from process import logs
from process.asyncio_events import on_signal
from process.settings import Settings
from publisher.watch import Arrival, BrokerUnavailable, watch
from reelbus.errors import BAD_USAGE, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.event_line import event_line, short_line, video_id
from reelbus.terminal import Output, has_colours, one_line, printable_json


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events to print; what is not given lets every event through."""

    video: str | None
    status: str | None
    metadata: Mapping[str, str]

    @property
    def any(self) -> bool:
        """Whether something is filtered."""
        return bool(self.video or self.status or self.metadata)

    def let_through(self, body: bytes) -> bool:
        """Say whether an event is wanted; what is no event of ours is not, once something is filtered."""
        if not self.any:
            return True
        try:
            video = json.loads(body)["data"]
            return (
                self.video in {None, video["id"]}
                and self.status in {None, video["status"]}
                and all(video["metadata"].get(name) == value for name, value in self.metadata.items())
            )
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return False


def watch_events(binding: str, since: str | None, filters: Filters, output: Output | None) -> None:
    """Print every event whose routing key the binding matches and that the filters let through, until a signal.

    Without an output each is one line of JSON.
    """
    settings = settings_or_exit()
    logs.set_up()
    try:
        asyncio.run(_watch(settings, binding, since, partial(_print, filters, output)))
    except ValueError as error:
        stop_with(f"--from {error}", BAD_USAGE)
    except BrokerUnavailable as error:
        stop_with(f"cannot watch: {error}; check REELBUS_AMQP_URL", UNAVAILABLE)


async def _watch(settings: Settings, binding: str, since: str | None, on_event: "partial[None]") -> None:
    await watch(settings, binding, since, on_event, on_signal())


def _print(filters: Filters, output: Output | None, arrival: Arrival) -> None:
    if filters.let_through(arrival.body):
        sys.stdout.write(_shown(arrival, output) + "\n")
        sys.stdout.flush()


def _shown(arrival: Arrival, output: Output | None) -> str:
    match output:
        case Output.INTERACTIVE:
            return event_line(arrival.routing_key, arrival.body, colour=has_colours(sys.stdout))
        case Output.COMPACT:
            return short_line(arrival.routing_key, arrival.body)
        case Output.QUIET:
            return video_id(arrival.body)
        case None:
            return _line(arrival.body)


def _line(body: bytes) -> str:
    """Show a message on one line, whatever it is: JSON as JSON, anything else with its controls escaped."""
    try:
        return printable_json(json.loads(body))
    except (ValueError, RecursionError):
        return one_line(body.decode(errors="replace"))
