"""Show the whole service at work: real jobs through stand-ins of both providers, events from a real RabbitMQ.

`python -m reelbus.demo` submits three pictures, prints every event as it arrives at a subscriber, and exits 0 once
a video made ready by a webhook, one made ready by polling, and a failed one with its refund have all arrived.
With `--stay` the service then stays up until Ctrl-C.
"""

import asyncio
import os
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from process import logs
from process.asyncio_events import on_signal, wait_any
from process.settings import Settings, WrongSettings
from publisher.watch import Arrival, BrokerUnavailable, watch
from reelbus.errors import BAD_USAGE, stop_with
from reelbus.picture import house
from reelbus.roles import Role, run_roles
from reelbus.sandboxed import environment
from sandbox.server import Addresses, serve
from sandbox.settings import SandboxSettings
from schemas.event import Event

PATIENCE_SECONDS = 50.0
QUICK = {
    "REELBUS_POLL_MIN": "0.5",
    "REELBUS_POLL_MAX": "2",
    "REELBUS_IACREA_RATE": "10",
    "REELBUS_HOMEDESIGNS_RATE": "5",
}
"""The stand-ins take two seconds for a video, so the demonstration looks more often than one would in earnest."""

JOBS: tuple[dict[str, str], ...] = (
    {"provider": "iacrea", "motion": "zoom_in", "metadata": '{"listing": "ready by webhook"}'},
    {"provider": "homedesigns", "motion": "rotate_cw", "metadata": '{"listing": "ready by polling"}'},
    {
        "provider": "iacrea",
        "motion": "pan_left",
        "prompt": "sandbox: fail",
        "metadata": '{"listing": "fails, and is refunded"}',
    },
)


def main() -> None:
    """Run the demonstration; the exit status is 0 if everything arrived."""
    stay = "--stay" in sys.argv[1:]
    if unknown := set(sys.argv[1:]) - {"--stay"}:
        stop_with(f"unknown options {sorted(unknown)}; there is only --stay", BAD_USAGE)
    logs.set_up(quiet=not stay)
    try:
        arrived = asyncio.run(_demonstrate(stay=stay))
    except* WrongSettings as errors:
        stop_with("\n".join(map(str, errors.exceptions)), BAD_USAGE)
    except* (BrokerUnavailable, OSError, httpx.HTTPError) as errors:
        stop_with("\n".join(f"the demonstration cannot run: {error}" for error in errors.exceptions))
    if not arrived:
        stop_with("not everything arrived in time")


async def _demonstrate(*, stay: bool) -> bool:
    stop = on_signal()
    addresses: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    stand_ins = SandboxSettings(port=0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(stand_ins, stop=stop, announce=addresses.set_result))
        settings = _settings(environment(stand_ins, await addresses), stay=stay)
        tasks.create_task(run_roles(settings, list(Role), stop))
        try:
            shown = await _show(settings, tasks, stop)
            if stay and not stop.is_set():
                _say(f"\nconsole   {settings.local_url}/console\napi       {settings.local_url}/docs\nCtrl-C to stop")
                await stop.wait()
        finally:
            stop.set()
    return shown.complete or stay


def _settings(stand_ins: dict[str, str], *, stay: bool) -> Settings:
    port = {} if stay or "REELBUS_PORT" in os.environ else {"REELBUS_PORT": str(_free_port())}
    settings = Settings.read({**QUICK, **port, **os.environ, **stand_ins}, file=None)
    database = Path(settings.database_url.removeprefix("sqlite:///"))
    database.parent.mkdir(parents=True, exist_ok=True)
    return settings


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass(slots=True)
class _Seen:
    """Which of our events have arrived."""

    videos: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether all that was promised has arrived."""
        return self.found >= {"ready by webhook", "ready by poll", "failed with refund"}

    def take(self, arrival: Arrival) -> None:
        """Print an event, and note what it shows."""
        event = Event.model_validate_json(arrival.body)
        if event.subject not in self.videos:
            return
        _print(arrival.routing_key, event)
        self.found.add(_kind(event))


def _kind(event: Event) -> str:
    if event.type == "video.ready":
        return f"ready by {event.data.detected_by}"
    refunded = event.data.refund is not None and event.data.refund.status == "refunded"
    return "failed with refund" if event.type == "video.failed" and refunded else event.type


async def _show(settings: Settings, tasks: asyncio.TaskGroup, stop: asyncio.Event) -> _Seen:
    seen, ready = _Seen(), asyncio.Event()
    early: list[Arrival] = []
    async with httpx.AsyncClient(base_url=settings.local_url, timeout=10, trust_env=False) as http:
        await _until_ready(http, stop)
        watching = tasks.create_task(watch(settings, "video.#", None, early.append, stop, ready=ready))
        await wait_any(ready, stop)
        for number, job in enumerate(JOBS):
            video = await _submit(http, job, house(evening=number == 1))
            seen.videos.add(video["id"])
        await _take_until_complete(seen, early, stop)
    watching.cancel()
    return seen


async def _take_until_complete(seen: _Seen, arrivals: list[Arrival], stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (seen.complete or stop.is_set()):
                while arrivals:
                    seen.take(arrivals.pop(0))
                await asyncio.sleep(0.02)
    except TimeoutError:
        return


async def _until_ready(http: httpx.AsyncClient, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            if (await http.get("/readyz")).is_success:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)


async def _submit(http: httpx.AsyncClient, job: dict[str, str], picture: bytes) -> dict[str, Any]:
    answer = await http.post("/v1/videos", data=job, files={"image": ("house.jpg", picture, "image/jpeg")})
    answer.raise_for_status()
    video: dict[str, Any] = answer.json()
    _say(f"submitted {video['id']}  {job['motion']} at {job['provider']}: {video['metadata']['listing']}")
    return video


def _print(routing_key: str, event: Event) -> None:
    video = event.data
    told = [video.metadata.get("listing", "")]
    if event.type == "video.ready":
        told += [f"found by {video.detected_by}", *video.output_urls]
    if video.error is not None:
        told.append(f"{video.error.code}: {video.error.message}")
    if video.refund is not None:
        told.append(f"credit {video.refund.status} ({video.refund.credits})")
    sys.stdout.write(f"{event.time[11:23]}  {routing_key:<26} {'  '.join(told)}\n")
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
