"""Faults of a PostgreSQL database, of its standby, and of the network to them."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from setup.postgres.pair import Pair
from tests.chaos.hosts import DATABASE, Host
from tests.chaos.kinds import Kind, kind_in
from tests.chaos.world import ChaosService
from tests.support.tcp_relay import TcpRelay

DATABASE_KINDS: list[Kind] = []
_kind = partial(kind_in, DATABASE_KINDS)

APART = "ALTER TABLE outbox SET (fillfactor = 10)"
"""Events lie far apart, so that their table soon meets a limit on the size of files."""

_FULL = 1024 * 1024 + 4096
"""Bytes that a file may have while the disk is full: a segment of the write-ahead log still fits."""

_ONES = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'reelbus'"


def _pair(world: ChaosService) -> Pair:
    assert world.pair is not None
    return world.pair


@_kind("database restarted", "store", 4)
async def restarted(world: ChaosService, chance: random.Random, scale: float) -> None:
    server = _pair(world).primary
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(chance.uniform(0, 2) * scale)
    await asyncio.to_thread(server.start)


@_kind("database killed and restarted", "store", 4)
async def killed(world: ChaosService, chance: random.Random, scale: float) -> None:
    server = _pair(world).primary
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(chance.uniform(0, 2) * scale)
    await asyncio.to_thread(server.start)


def _failover(name: str, least: float, most: float) -> None:
    @_kind(f"failover to the standby{name}", "store", most + 6)
    async def fail_over(world: ChaosService, chance: random.Random, scale: float) -> None:
        pair = _pair(world)
        await asyncio.to_thread(pair.await_in_step)
        await asyncio.to_thread(pair.primary.kill)
        await asyncio.sleep(chance.uniform(least, most) * max(scale, 0.5))
        await asyncio.to_thread(pair.promote)
        world.promoted.append(time.time())
        await asyncio.sleep(chance.uniform(1, 3))
        await asyncio.to_thread(pair.attach)


_failover("", 0, 2)
_failover(" after longer than a lease", 11, 14)


@_kind("standby killed, and every commit waits", "store", 8)
async def standby_killed(world: ChaosService, chance: random.Random, scale: float) -> None:
    pair = _pair(world)
    await asyncio.to_thread(pair.standby.kill)
    await asyncio.sleep(chance.uniform(3, 8) * scale)
    await asyncio.to_thread(pair.standby.start)
    await asyncio.to_thread(pair.await_in_step)


@_kind("database connections ended by an operator", "store", 2)
async def connections_ended(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - a moment each
    for _ in range(chance.randint(1, 4)):
        await asyncio.to_thread(_pair(world).order, _ONES)
        await asyncio.sleep(chance.random())


@_kind("database frozen and thawed", "store", 7)
async def frozen(world: ChaosService, chance: random.Random, scale: float) -> None:
    server = _pair(world).primary
    pids = server.pids
    _send(pids, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(3, 8) * scale)
    _send(pids, signal.SIGCONT)


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@_kind("rows locked by an operator", "store", 8)
async def locked(world: ChaosService, chance: random.Random, scale: float) -> None:
    tables = ", ".join(chance.sample(("videos", "attempts", "outbox", "webhooks", "providers"), 2))
    seconds = chance.uniform(4, 9) * scale
    held = f"BEGIN; LOCK TABLE {tables} IN EXCLUSIVE MODE; SELECT pg_sleep({seconds:.1f}); ROLLBACK"
    await asyncio.to_thread(_pair(world).order, held, DATABASE)


@_kind("database read-only", "store", 5)
async def read_only(world: ChaosService, chance: random.Random, scale: float) -> None:
    pair = _pair(world)
    await asyncio.to_thread(pair.order, "ALTER SYSTEM SET default_transaction_read_only = on")
    await asyncio.sleep(chance.uniform(3, 6) * scale)
    await asyncio.to_thread(pair.order, "ALTER SYSTEM RESET default_transaction_read_only")


@_kind("database full", "store", 7)
async def full(world: ChaosService, chance: random.Random, scale: float) -> None:
    server = _pair(world).primary
    await asyncio.to_thread(server.limit_files, _FULL)
    await asyncio.sleep(chance.uniform(4, 8) * scale)
    await asyncio.to_thread(server.limit_files, None)


def _network(name: str, seconds: float, hurt: Callable[[TcpRelay], None]) -> None:
    @_kind(f"network to the database: {name}", "store", seconds)
    async def spoil(world: ChaosService, chance: random.Random, scale: float) -> None:
        ways = [way for host in _some(world, chance) for way in host.database]
        for way in ways:
            hurt(way)
        await asyncio.sleep(chance.uniform(0.5, 1.5) * seconds * scale)
        for way in ways:
            _healed(way)


def _some(world: ChaosService, chance: random.Random) -> list[Host]:
    return chance.sample(world.hosts, chance.randint(1, len(world.hosts)))


def _healed(way: TcpRelay) -> None:
    """Let everything through again; what was held up is lost with its connection, as a firewall loses it."""
    if way.refuses or not way.moves:
        way.cut()
    way.delay, way.refuses = 0.0, False
    way.release()


def _slowed(way: TcpRelay) -> None:
    way.delay = 0.05


def _shut(way: TcpRelay) -> None:
    way.refuses = True
    way.cut()


_network("connections reset", 1, TcpRelay.cut)
_network("connections half closed", 1, TcpRelay.half_close)
_network("everything dropped", 7, TcpRelay.hold)
_network("cut off", 6, _shut)
_network("slow", 6, _slowed)


@_kind("a host is cut off from the broker", "broker", 8)
async def host_without_broker(world: ChaosService, chance: random.Random, scale: float) -> None:
    await _away(chance.choice(world.hosts).brokers, chance, chance.uniform(5, 15) * scale)


@_kind("a host is cut off from the providers", "providers", 8)
async def host_without_providers(world: ChaosService, chance: random.Random, scale: float) -> None:
    await _away(chance.choice(world.hosts).providers, chance, chance.uniform(4, 10) * scale)


async def _away(ways: list[TcpRelay], chance: random.Random, seconds: float) -> None:
    hurt = chance.choice((TcpRelay.hold, _shut))
    for way in ways:
        hurt(way)
    await asyncio.sleep(seconds)
    for way in ways:
        _healed(way)
