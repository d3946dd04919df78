"""Forward events from the broker to an HTTP endpoint, for whoever develops one: `reelbus listen --forward URL`."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from process import logs
from process.asyncio_events import on_signal, wait_any
from process.settings import Settings
from process.standard_webhooks import new_secret, secret_key, signature_headers
from publisher.watch import Arrival, BrokerUnavailable, watch
from reelbus.errors import BAD_USAGE, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.terminal import Output
from reelbus.terminal import cleaned as clean
from schemas.event import CONTENT_TYPE

_BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0)
_TIMEOUT_SECONDS = 15.0
_WAITING_EVENTS = 10_000


def listen(binding: str, forward: str, secret: str | None, output: Output) -> None:
    """Post every event that the binding takes to an address, signed by Standard Webhooks, until a signal.

    A line each on stdout tells the type, the id and the answer's status. What is not answered with 2xx is tried
    again four times. `output` says which tries have a line: all, the last one of each event, or the last of what was
    not delivered.
    """
    settings = settings_or_exit()
    logs.set_up(quiet=True)
    signing = _secret(secret)
    if urlsplit(forward).scheme not in {"http", "https"} or not urlsplit(forward).hostname:
        stop_with(
            f"--forward {forward!r} is no http or https address; write it as http://localhost:3000/hook", BAD_USAGE
        )
    if secret is None:
        sys.stderr.write(f"signing secret: {signing}\n")
    try:
        asyncio.run(_forward(settings, binding, _Target(forward, signing, output)))
    except BrokerUnavailable as error:
        stop_with(f"cannot listen: {error}; check REELBUS_AMQP_URL", UNAVAILABLE)


def _secret(given: str | None) -> str:
    if given is None:
        return new_secret()
    try:
        secret_key(given)
    except ValueError as error:
        stop_with(f"--secret {error}", BAD_USAGE)
    return given


@dataclass(frozen=True, slots=True)
class _Target:
    address: str
    secret: str
    output: Output


async def _forward(settings: Settings, binding: str, target: _Target) -> None:
    stop, ready = on_signal(), asyncio.Event()
    waiting: asyncio.Queue[Arrival] = asyncio.Queue(_WAITING_EVENTS)
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http, asyncio.TaskGroup() as tasks:
        forwarder = _Forwarder(http, target)
        forwarding = tasks.create_task(forwarder.run(waiting))
        saying = tasks.create_task(_say_when(ready, f"forwarding {binding} to {target.address}; Ctrl-C to stop"))
        try:
            await watch(settings, binding, None, lambda arrival: _enqueue(waiting, arrival), stop, ready=ready)
        finally:
            saying.cancel()
            forwarding.cancel()


async def _say_when(ready: asyncio.Event, line: str) -> None:
    await wait_any(ready)
    sys.stderr.write(line + "\n")


def _enqueue(waiting: asyncio.Queue[Arrival], arrival: Arrival) -> None:
    try:
        waiting.put_nowait(arrival)
    except asyncio.QueueFull:
        sys.stderr.write(f"{_WAITING_EVENTS} events wait for the endpoint already; one is left out\n")


@dataclass(slots=True)
class _Forwarder:
    http: httpx.AsyncClient
    target: _Target

    async def run(self, waiting: asyncio.Queue[Arrival]) -> None:
        """Forward one event after the other, so that their order is kept."""
        while True:
            await self._deliver(await waiting.get())

    async def _deliver(self, arrival: Arrival) -> None:
        for pause in (*_BACKOFF_SECONDS, None):
            answer, delivered = await self._post(arrival)
            if delivered or pause is None:
                if not (delivered and self.target.output is Output.QUIET):
                    _say(arrival, answer)
                return
            if self.target.output is Output.INTERACTIVE:
                _say(arrival, f"{answer}, again in {pause:g} s")
            await asyncio.sleep(pause)

    async def _post(self, arrival: Arrival) -> tuple[str, bool]:
        try:
            answer = await self.http.post(self.target.address, content=arrival.body, headers=self._headers(arrival))
        except httpx.HTTPError as error:
            return str(error) or type(error).__name__, False
        return str(answer.status_code), answer.is_success

    def _headers(self, arrival: Arrival) -> Mapping[str, str]:
        signed = signature_headers(
            self.target.secret, message_id=_event_id(arrival), timestamp=int(time.time()), body=arrival.body
        )
        return {"content-type": CONTENT_TYPE, **signed}


def _event_id(arrival: Arrival) -> str:
    try:
        return str(json.loads(arrival.body)["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "unknown"


def _say(arrival: Arrival, answer: str) -> None:
    sys.stdout.write(f"{clean(arrival.routing_key):<28} {clean(_event_id(arrival))}  {clean(answer)}\n")
    sys.stdout.flush()
