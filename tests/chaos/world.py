"""Everything that a run consists of, with the hands on it that faults and checks need."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from sandbox.broker.cluster import Cluster
from sandbox.broker.node import Node
from setup.postgres.pair import Pair
from tests.chaos.driver import Driver
from tests.chaos.fleet import Fleet
from tests.chaos.hosts import TWICE_OVER_DATABASE, TWICE_OVER_FILE, Host, connected_host
from tests.chaos.kit import Kit, kit
from tests.support.broker import Broker, subscribe
from tests.support.gallery import gallery
from tests.support.service import QUICK, Sandbox
from tests.support.subscriber import Subscriber
from tests.support.tcp_relay import relay
from tests.support.waiting import eventually

PROVIDERS = ("iacrea", "homedesigns")

REPLIES = "chaos.replies."
"""How the names of the queues begin to which replies may be sent."""

COMMON: dict[str, float] = {
    "ok": 50, "http-429": 2, "http-503": 2, "http-500": 2, "reset-before-read": 2, "charge-and-drop": 2,
    "http-500-after-accept": 1, "bad-json": 1, "html-200": 1, "http-400": 1, "hostile-urls-mixed": 1,
}  # fmt: skip
SLOW = {"intent written": 0.05, "answer read": 0.1, "look answered": 0.05, "confirmed": 0.1}
"""Where every process is delayed, for how many seconds."""

Behaviours = Mapping[str, Mapping[str, float]]

USUAL: Behaviours = {
    "iacrea": COMMON | {
        "webhook-never": 30, "webhook-twice": 5, "webhook-x5": 5, "webhook-before-answer": 6,
        "webhook-before-ready": 5, "webhook-names-other": 2, "webhook-empty": 2, "fail": 5, "fail-silently": 2,
        "charge-and-drop-named": 3, "charge-and-drop-silent": 1,
    },
    "homedesigns": COMMON | {"fail-runpod": 4, "fail-error": 2, "list": 5, "queue-id": 3, "wrapped": 3},
}  # fmt: skip
"""What the providers do while no fault is made to them: 30 % of IACrea's webhooks never come as it is."""


@dataclass
class ChaosService:
    """One run."""

    fleet: Fleet
    sandbox: Sandbox
    broker: Broker
    exchange: str
    subscriber: Subscriber
    driver: Driver
    seed: int
    job_timeout: float
    behaviours: Behaviours
    slow_host: asyncio.Event
    """Set while the host of the slow pictures answers."""
    kit: Kit
    """The providers that were added later."""
    unanswered: list[tuple[float, float]] = field(default_factory=list)
    """From when until when a provider could not be asked, or did not answer, by the true time."""
    clock_put_back: list[float] = field(default_factory=list)
    """When the processes' clocks were put back, by the true time."""
    promoted: list[float] = field(default_factory=list)
    """When a standby became the primary, by the true time."""
    pair: Pair | None = None
    """The database, where the store is no file."""
    cluster: Cluster | None = None
    """The brokers, where there are several; `broker` is the first of them."""
    hosts: list[Host] = field(default_factory=list)
    """The hosts that the processes are spread over, where there are several."""
    _clock_ahead: float = 0.0

    async def usual(self) -> None:
        """Have all providers behave as they usually do."""
        self.seed += 1
        self.kit.usual()
        await self.sandbox.http.request("DELETE", "/sandbox/plan")
        for provider in PROVIDERS:
            await self.outage(provider, None)
            await self.weigh(provider, self.behaviours[provider])

    async def weigh(self, provider: str, weights: Mapping[str, float]) -> None:
        """Have a provider draw what it does with a submission by these weights."""
        body = {"provider": provider, "weights": dict(weights), "seed": self.seed}
        (await self.sandbox.http.post("/sandbox/behaviours", json=body)).raise_for_status()

    async def outage(self, provider: str, mode: str | None) -> None:
        """Have every request to a provider fail in one way, or none."""
        body = {"provider": provider, "mode": mode}
        (await self.sandbox.http.post("/sandbox/outage", json=body)).raise_for_status()

    async def records(self) -> list[Any]:
        """Read what all providers saw."""
        return [*(await self.sandbox.records())["records"], *self.kit.records()]

    def put_clock(self, ahead: float) -> None:
        """Have all processes believe that it is so many seconds later than it is."""
        self._clock_ahead, before = ahead, self._clock_ahead
        if ahead < before:
            self.clock_put_back.append(time.time())
        self.fleet.put_clock(ahead)

    async def get(self, path: str, **query: str) -> Any:
        """Ask whichever receiver answers."""

        async def answer() -> Any:
            for receiver in self.fleet.receivers:
                try:
                    found = await self.sandbox.http.get(receiver + path, params=query)
                except httpx.TransportError:
                    continue
                if found.is_success:
                    return found
            return None

        return (await eventually(answer, within=180, what=f"an answer to GET {path}")).json()

    @property
    def open_jobs(self) -> set[int]:
        """The jobs that were asked for and whose end the subscriber has not heard of."""
        return {job.number for job in self.driver.jobs if job.video_id not in self.subscriber.ended}

    @property
    def jobs_in_flight(self) -> set[int]:
        """The open jobs of which it is not yet sure that something went wrong with them before."""
        longest = time.time() - self.job_timeout - 10
        young = {job.number for job in self.driver.jobs if not job.accepted_at or job.accepted_at > longest}
        return self.open_jobs & young


@asynccontextmanager
async def world(
    folder: Path,
    node: Node,
    *,
    seed: int,
    job_timeout: float,
    behaviours: Behaviours = USUAL,
    pair: Pair | None = None,
    cluster: Cluster | None = None,
    least: Mapping[str, int] | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[ChaosService]:
    """Start stand-ins, every role, and a subscriber that is there from the first event.

    Over a database or a cluster of brokers the processes are spread over two hosts, and a load balancer stands
    before the receivers. `least` says how many of each role there are, `more` what settings they have besides.
    """
    exchange = f"chaos.{secrets.token_hex(4)}"
    broker = Broker(node)
    async with AsyncExitStack() as stack:
        sandbox = await Sandbox.start(folder, render_seconds=3.0)
        stack.push_async_callback(sandbox.close)
        others = await stack.enter_async_context(kit(seconds=3.0, seed=seed))
        base = await stack.enter_async_context(gallery())
        slow_host = asyncio.Event()
        slow_base = await stack.enter_async_context(gallery(slow_host))
        hosts = [await stack.enter_async_context(host) for host in _hosts(pair, node, cluster, sandbox.env)]
        settings = {**_settings({**sandbox.env, **others.env}, broker.url, exchange, job_timeout), **more}
        least = least or (TWICE_OVER_DATABASE if pair else TWICE_OVER_FILE if hosts else None)
        fleet = Fleet(folder, settings, hosts=[host.env for host in hosts] or [{}], least=least)
        if hosts:
            balancer = await stack.enter_async_context(relay(*fleet.ports))
            fleet.be_reached_at(f"http://127.0.0.1:{balancer.port}")
        stack.push_async_callback(fleet.close)
        await fleet.complete()
        driver = Driver(
            lambda: [each.url or "" for each in fleet.of("receiver")] or fleet.receivers, base, slow_base, seed
        )
        urls = [each.url for each in cluster.nodes] if cluster else [broker.url]
        subscriber = Subscriber(",".join(urls), "")
        run = ChaosService(
            fleet, sandbox, broker, exchange, subscriber, driver, seed, job_timeout, behaviours, slow_host, others
        )
        run.pair, run.cluster, run.hosts = pair, cluster, hosts
        await run.get("/readyz")
        run.subscriber.queue = (await subscribe(broker, exchange)).queue
        await run.usual()
        async with _listening(run.subscriber):
            yield run


@asynccontextmanager
async def _listening(subscriber: Subscriber) -> AsyncIterator[None]:
    """Have the subscriber take events for as long as the block runs."""
    stop = asyncio.Event()
    listening = asyncio.create_task(subscriber.listen(stop))
    try:
        yield
    finally:
        stop.set()
        await listening


def _hosts(
    pair: Pair | None, node: Node, cluster: Cluster | None, env: Mapping[str, str]
) -> list[AbstractAsyncContextManager[Host]]:
    if pair is None and cluster is None:
        return []
    urls = [each.url for each in cluster.nodes] if cluster else [node.url]
    providers = {name: env[name] for name in ("REELBUS_IACREA_URL", "REELBUS_HOMEDESIGNS_URL")}
    return [connected_host(pair, urls, providers, first=number % len(urls)) for number in range(2)]


def _settings(sandbox: dict[str, str], amqp_url: str, exchange: str, job_timeout: float) -> dict[str, str]:
    return {
        **QUICK,
        **sandbox,
        "REELBUS_AMQP_URL": amqp_url,
        "REELBUS_EXCHANGE": exchange,
        "REELBUS_REPLY_TO_PREFIXES": REPLIES,
        # So that what ends a process at any moment meets the windows that are narrow.
        "REELBUS_TEST_SLOW": ",".join(f"{place}:{seconds}" for place, seconds in SLOW.items()),
        "REELBUS_JOB_TIMEOUT": str(job_timeout),
        "REELBUS_PROVIDER_TIMEOUT": "3",
        "REELBUS_POLL_MIN": "0.2",
        "REELBUS_POLL_MAX": "2",
        "REELBUS_IACREA_WEBHOOK_GRACE": "3",
        "REELBUS_SUBMIT_CONFIRM_WAIT": "8",
    }


def chance(seed: int, *names: object) -> random.Random:
    """Give a source of chance that depends on the seed and what it is for alone."""
    return random.Random("/".join(map(str, (seed, *names))))
