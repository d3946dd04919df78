"""Faults of a cluster of brokers: one of its nodes is lost in mid-load, and the others go on."""

import asyncio
import random
import time
from functools import partial

from publisher.topology import SUBMIT_QUEUE, log_stream
from sandbox.broker.cluster import Cluster
from sandbox.broker.handshake import answers
from sandbox.broker.node import Node
from tests.chaos.kinds import Kind, kind_in
from tests.chaos.world import ChaosService
from tests.support.waiting import eventually

CLUSTER_KINDS: list[Kind] = []
_kind = partial(kind_in, CLUSTER_KINDS)

_WHOLE_SECONDS = 240.0


def _cluster(world: ChaosService) -> Cluster:
    assert world.cluster is not None
    return world.cluster


@_kind("cluster: the node that a host is connected to is killed", "broker", 12)
async def connected_killed(world: ChaosService, chance: random.Random, scale: float) -> None:
    await _lose(world, _connected(world, chance), chance.uniform(2, 6) * scale)


def _connected(world: ChaosService, chance: random.Random) -> Node:
    """Choose one of the nodes through which a host's processes speak."""
    ways = chance.choice(world.hosts).brokers
    nodes = [node for node, way in zip(_cluster(world).nodes, ways, strict=True) if way.connections]
    return chance.choice(nodes or _cluster(world).nodes)


async def _lose(world: ChaosService, node: Node, seconds: float) -> None:
    await asyncio.to_thread(node.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(node.start)
    await _whole(world)


def _leader_killed(name: str) -> None:
    @_kind(f"cluster: the leader of {name} is killed", "broker", 12)
    async def kill(world: ChaosService, chance: random.Random, scale: float) -> None:
        queues = {
            "the log": log_stream(world.exchange),
            "the commands": SUBMIT_QUEUE,
            "a subscriber's queue": world.subscriber.queue,
        }
        leader = await asyncio.to_thread(_cluster(world).leader, queues[name])
        await _lose(world, leader, chance.uniform(2, 6) * scale)


for _name in ("the log", "the commands", "a subscriber's queue"):
    _leader_killed(_name)


@_kind("cluster: a minority is parted from the others", "broker", 14)
async def parted(world: ChaosService, chance: random.Random, scale: float) -> None:
    cluster, node = _cluster(world), _connected(world, chance)
    await asyncio.to_thread(cluster.part, node)
    await asyncio.sleep(chance.uniform(5, 15) * scale)
    await asyncio.to_thread(cluster.mend, node)
    await eventually(partial(asyncio.to_thread, answers, node.url), within=_WHOLE_SECONDS)
    await _whole(world)


@_kind("cluster: every node restarted, one after the other", "broker", 25)
async def rolling_restart(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - as long as it takes
    for node in chance.sample(_cluster(world).nodes, len(_cluster(world).nodes)):
        await asyncio.to_thread(node.restart)
        await _whole(world)


async def _whole(world: ChaosService) -> None:
    """Wait until every queue is on every node again, as one who restarts nodes must before the next."""
    give_up_at = time.monotonic() + _WHOLE_SECONDS
    while missing := await asyncio.to_thread(_cluster(world).missing):
        assert time.monotonic() < give_up_at, f"the cluster is not whole again: {missing}"
        await asyncio.sleep(0.5)
