"""`reelbus demo`: the whole service at work, with real jobs through both stand-ins and events from a real RabbitMQ.

It submits three pictures, prints every event as it arrives at a subscriber, and ends with exit status 0 once a video
made ready by a webhook, one made ready by polling, and a failed one with its refund have all arrived. It is apart
from everything else on the machine, and leaves nothing behind.
"""

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from process import logs
from process.asyncio_events import on_signal, wait_any
from publisher.watch import Arrival, watch
from reelbus.dev import INTERRUPTED
from reelbus.errors import stop_with
from reelbus.event_line import event_line
from reelbus.local import (
    LocalService,
    broker_in,
    local_settings,
    port_for,
    refuse_what_cannot_start,
    running_service,
    stop_for,
    submit_samples,
)
from reelbus.terminal import has_colours
from schemas.event import Event

_ENDS_WITHIN_SECONDS = 50.0


def demonstrate() -> None:
    """Run the demonstration; exit 0 if everything arrived."""
    logs.set_up(quiet=True)
    port = {} if os.environ.get("REELBUS_PORT") else port_for(0)
    try:
        with tempfile.TemporaryDirectory(prefix="reelbus-demo-") as name:
            folder = Path(name)
            refuse_what_cannot_start(local_settings("amqp://127.0.0.1", folder / "reelbus.db", port))
            with broker_in(folder / "broker") as amqp_url:
                complete = asyncio.run(_demonstrate(local_settings(amqp_url, folder / "reelbus.db", port)))
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except (Exception, BaseExceptionGroup) as error:
        stop_for(error)
        raise
    if not complete:
        stop_with("not everything arrived in time")


async def _demonstrate(variables: dict[str, str]) -> bool:
    stop = on_signal()
    async with running_service(variables, stop) as service:
        return await _show(service, stop)


@dataclass(slots=True)
class _Seen:
    """Which of our events have arrived."""

    videos: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether all that was promised has arrived."""
        return self.found >= {"ready by webhook", "ready by poll", "failed with refund"}

    def note(self, arrival: Arrival) -> None:
        """Print an event, and note what it shows."""
        event = Event.model_validate_json(arrival.body)
        if event.subject not in self.videos:
            return
        sys.stdout.write(event_line(arrival.routing_key, arrival.body, colour=has_colours(sys.stdout)) + "\n")
        sys.stdout.flush()
        self.found.add(_kind(event))


def _kind(event: Event) -> str:
    if event.type == "video.ready":
        return f"ready by {event.data.detected_by}"
    refunded = event.data.refund is not None and event.data.refund.status == "refunded"
    return "failed with refund" if event.type == "video.failed" and refunded else event.type


async def _show(service: LocalService, stop: asyncio.Event) -> bool:
    seen, ready = _Seen(), asyncio.Event()
    early: list[Arrival] = []
    watching = asyncio.create_task(watch(service.settings, "video.#", None, early.append, stop, ready=ready))
    try:
        await wait_any(ready, stop)
        async for provider, video in submit_samples(service):
            sys.stderr.write(
                f"submitted {video['id']}  {video['motion']} at {provider}: {video['metadata']['listing']}\n"
            )
            seen.videos.add(video["id"])
        await _watch_until_complete(seen, early, stop)
    finally:
        watching.cancel()
    return seen.complete


async def _watch_until_complete(seen: _Seen, arrivals: list[Arrival], stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_ENDS_WITHIN_SECONDS):
            while not (seen.complete or stop.is_set()):
                while arrivals:
                    seen.note(arrivals.pop(0))
                await asyncio.sleep(0.02)
    except TimeoutError:
        return
