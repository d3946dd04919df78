"""The service with stand-ins, broker, Prometheus and a steady stream of requests: what a drill breaks."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import httpx

from sandbox.broker.node import Node
from tests.chaos.fleet import ROLES, Fleet
from tests.drill.prometheus import Prometheus
from tests.support.broker import Broker
from tests.support.gallery import gallery
from tests.support.ports import free_port
from tests.support.service import QUICK, Command, Sandbox
from tests.support.tcp_relay import TcpRelay, relay
from tests.support.waiting import eventually

PROVIDERS = ("iacrea", "homedesigns")
_REQUESTS_A_SECOND = 2.0


@dataclass
class Site:
    """A running service, and the hands on it that a drill needs."""

    fleet: Fleet
    sandbox: Sandbox
    broker: Broker
    prometheus: Prometheus
    ports: dict[str, int]
    http: httpx.AsyncClient
    gallery: str
    exchange: str
    public: TcpRelay
    """The network between everybody outside and the public address."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def submit(self, provider: str) -> str | None:
        """Ask for a video; give its id, or None where the request was not taken."""
        body = {
            "image_url": f"{self.gallery}/{next(self._numbers)}.png",
            "motion": "zoom_in",
            "provider": provider,
        }
        with suppress(httpx.TransportError):
            answer = await self.http.post("/v1/videos", json=body)
            if answer.status_code == 202:
                return str(answer.json()["id"])
        return None

    async def makes_videos(self) -> bool:
        """Say whether each provider makes a video that is asked for now."""
        made = [await self._ends(await self.submit(provider)) for provider in PROVIDERS]
        return made == ["ready"] * len(PROVIDERS)

    async def _ends(self, video_id: str | None) -> str | None:
        if video_id is None:
            return None
        with suppress(httpx.TransportError):
            answer = await self.http.get(f"/v1/videos/{video_id}", headers={"Prefer": "wait=20"})
            return str(answer.json().get("status"))
        return None

    async def get(self, path: str) -> httpx.Response | None:
        """Ask the receiver; None where it does not answer."""
        with suppress(httpx.TransportError):
            return await self.http.get(path)
        return None

    async def control(self, path: str, **body: object) -> None:
        """Tell the stand-ins what to do."""
        (await self.sandbox.http.post(path, json=body)).raise_for_status()

    async def restart(self, *roles: str) -> None:
        """End the processes of some roles as an operator would, and start them again."""
        for role in roles:
            await self.fleet.replace(role, REELBUS_HEALTH_PORT=str(self.ports[role]))

    async def publish_command(self, body: bytes) -> None:
        """Put a command into the queue of commands."""
        async with self.broker.channel() as channel:
            exchange = await channel.get_exchange("video.commands")
            await exchange.publish(aio_pika.Message(body, message_id=f"drill-{secrets.token_hex(4)}"), "submit")

    async def run(self, *words: str) -> str:
        """Run a `reelbus …` command against this service; give what it printed. Raises for a failure."""
        env = {"REELBUS_AMQP_URL": self.broker.url, "REELBUS_EXCHANGE": self.exchange}
        command = await Command.start(*words, env=env, log=self.fleet.folder / "command.log")
        status, printed, errors = await command.finish()
        assert status == 0, errors
        return printed


@asynccontextmanager
async def running_site(folder: Path, node: Node) -> AsyncIterator[Site]:
    """Start everything, and wait until both providers make videos and Prometheus sees every role."""
    exchange = f"drill.{secrets.token_hex(4)}"
    broker = Broker(node)
    ports = {role: free_port() for role in ROLES}
    async with AsyncExitStack() as stack:
        sandbox = await Sandbox.start(folder, render_seconds=1.0)
        stack.push_async_callback(sandbox.close)
        base = await stack.enter_async_context(gallery())
        fleet = Fleet(folder, _settings(sandbox.env, broker.url, exchange))
        stack.push_async_callback(fleet.close)
        public = await stack.enter_async_context(relay(fleet.ports[0]))
        fleet.be_reached_at(f"http://127.0.0.1:{public.port}")
        await asyncio.gather(*(fleet.start(role, REELBUS_HEALTH_PORT=str(ports[role])) for role in ROLES))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=fleet.receivers[0], timeout=30))
        prometheus = await Prometheus.start(folder / "prometheus", ports)
        stack.push_async_callback(prometheus.close)
        site = Site(fleet, sandbox, broker, prometheus, ports, http, base, exchange, public)
        await eventually(site.makes_videos, within=240, what="a video of each provider")
        asking = asyncio.create_task(_ask_on(site))
        try:
            yield site
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking


async def _ask_on(site: Site) -> None:
    """Ask for videos at a steady rate, of each provider in turn, whatever is answered."""
    waiting: set[asyncio.Task[Any]] = set()
    for provider in itertools.cycle(PROVIDERS):
        if len(waiting) < 20:
            task = asyncio.create_task(site.submit(provider))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        await asyncio.sleep(1 / _REQUESTS_A_SECOND)


def _settings(sandbox: dict[str, str], amqp_url: str, exchange: str) -> dict[str, str]:
    return {
        **QUICK,
        **sandbox,
        "REELBUS_AMQP_URL": amqp_url,
        "REELBUS_EXCHANGE": exchange,
        "REELBUS_IACREA_WEBHOOK_GRACE": "120",  # as by default: what tells must not hang on a shorter one
    }
