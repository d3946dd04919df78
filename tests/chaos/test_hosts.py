"""Many hosts are one service: one budget, any receiver for any webhook or picture, each video's events in order."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from sandbox.broker.node import Node
from setup.postgres.pair import Pair
from tests.chaos import checker
from tests.chaos.hosts import DATABASE
from tests.chaos.world import PROVIDERS, ChaosService, world
from tests.support.tcp_relay import TcpRelay
from tests.support.waiting import eventually

MANY = {"receiver": 2, "generator": 3, "poller": 4, "publisher": 2}
RATE = 4
BURST = 10 * RATE
ENDS_MEANWHILE = 10
LAST_LEASE = "SELECT GREATEST((SELECT MAX(lease_until) FROM attempts), (SELECT MAX(until) FROM leases))"


@pytest.mark.timeout(600)
def test_many_hosts_share_one_budget_and_lose_nothing_when_some_are_killed_frozen_or_cut_off(tmp_path: Path) -> None:
    pair, node = Pair(), Node(tmp_path / "broker")
    try:
        pair.start()
        pair.order(f"CREATE DATABASE {DATABASE}")
        node.start(owner=os.getpid())
        asyncio.run(_many_hosts(tmp_path, node, pair))
    finally:
        pair.remove()
        node.stop(now=True)


async def _many_hosts(folder: Path, node: Node, pair: Pair) -> None:
    settings = {f"REELBUS_{provider}_RATE": str(RATE) for provider in ("IACREA", "HOMEDESIGNS")}
    async with world(folder, node, seed=1, job_timeout=120, pair=pair, least=MANY, more=settings) as running:
        began = time.time()
        asking = asyncio.create_task(running.driver.run(60, 3.0, enough := asyncio.Event()))
        await _cut_off(running)
        await running.fleet.kill([running.fleet.of("generator")[0], running.fleet.of("poller")[0]])
        await _freeze(running, pair)
        await running.fleet.complete()
        enough.set()
        await asking
        await checker.drained(running, within=150)
        verdict = await checker.judge(running)
        requests = (await running.sandbox.http.get("/sandbox/records/summary")).json()
    assert verdict.sound, verdict
    assert verdict.ends["ready"] > 0
    for provider in PROVIDERS:
        made = requests[provider]["requests"]
        assert made["submit"] + made["check"] <= BURST + RATE * (time.time() - began), made


async def _cut_off(running: ChaosService) -> None:
    """Have one host reach neither the database nor the broker nor a provider, until videos have ended without it."""
    cut = running.hosts[1]
    ways: list[TcpRelay] = [*cut.database, *cut.brokers, *cut.providers]
    for way in ways:
        way.refuses = True
        way.cut()
    await _more_have_ended(running)
    for way in ways:
        way.refuses = False


async def _freeze(running: ChaosService, pair: Pair) -> None:
    """Have one process of three roles stand still until its leases have run out, and videos have ended without it."""
    frozen = [running.fleet.of(role)[0] for role in ("generator", "poller", "publisher")]
    for each in frozen:
        each.send(signal.SIGSTOP)
    last = float(str(await asyncio.to_thread(pair.order, LAST_LEASE, DATABASE)))
    await eventually(lambda: time.time() > last, what="the end of the last lease")
    await _more_have_ended(running)
    for each in frozen:
        each.send(signal.SIGCONT)


async def _more_have_ended(running: ChaosService) -> None:
    wanted = len(running.subscriber.ended) + ENDS_MEANWHILE
    await eventually(lambda: len(running.subscriber.ended) >= wanted, within=150, what="the end of more videos")
