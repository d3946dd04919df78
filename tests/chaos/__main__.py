"""Break everything that can break, and check from outside that nothing is lost or doubled.

Exit status 1 if an invariant broke. The seed decides what is made when; how processes meet is the machine's affair.
"""

import argparse
import asyncio
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sandbox.broker.cluster import Cluster
from sandbox.broker.node import Node
from setup.postgres.pair import Pair
from tests.chaos.hosts import DATABASE
from tests.chaos.report import summary, table
from tests.chaos.run import Plan, Say, Story, run

SMALL = Plan(seed=1, jobs=150, faults=15, scale=0.25, job_timeout=15)


def main() -> int:
    """Run as the command line says."""
    plan = _plan()
    folder = Path(tempfile.mkdtemp(prefix="reelbus-chaos-"))
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    say(f"seed {plan.seed}, {plan.jobs} jobs, {plan.faults} faults; logs in {folder}")
    story = carry_out(plan, folder, say)
    print("\n" + table(story) + "\n")
    print("\n".join(summary(story)))
    if story.verdict.sound:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if story.verdict.sound else 1


def carry_out(plan: Plan, folder: Path, say: Say = print) -> Story:
    """Run a plan with a broker of its own, and with a database and its standby where it asks for them."""
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # the subscriber's broker goes away on purpose
    with _brokers(plan, folder) as (node, cluster), _database(plan) as pair:
        return asyncio.run(run(plan, folder, node, say, pair=pair, cluster=cluster))


@contextmanager
def _brokers(plan: Plan, folder: Path) -> Iterator[tuple[Node, Cluster | None]]:
    if not plan.cluster:
        node = Node(folder / "broker")
        try:
            node.start(owner=os.getpid())
            yield node, None
        finally:
            node.stop(now=True)
        return
    cluster = Cluster(folder / "brokers", plan.cluster)
    try:
        cluster.start(owner=os.getpid())
        yield cluster.nodes[0], cluster
    finally:
        cluster.stop()


@contextmanager
def _database(plan: Plan) -> Iterator[Pair | None]:
    if plan.store == "sqlite":
        yield None
        return
    pair = Pair()
    try:
        pair.start()
        pair.order(f"CREATE DATABASE {DATABASE}")
        yield pair
    finally:
        pair.remove()


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="what chance starts from (default: another one each time)")
    parser.add_argument("--jobs", type=int, help="how many videos to ask for, at least (default 2000)")
    parser.add_argument("--faults", type=int, help="how many faults to make (default 60)")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite", help="where the videos are")
    parser.add_argument("--cluster", type=int, default=0, help="how many nodes the broker has (default: one, alone)")
    parser.add_argument("--only", default="", help="make only faults whose names contain this")
    parser.add_argument("--small", action="store_true", help="150 jobs and 15 short faults, in about two minutes")
    given = parser.parse_args()
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    size = SMALL if given.small else Plan(seed=1, jobs=2000, faults=60, scale=1.0, job_timeout=40)
    jobs, faults = given.jobs or size.jobs, given.faults or size.faults
    return replace(size, seed=seed, jobs=jobs, faults=faults, store=given.store, cluster=given.cluster, only=given.only)


if __name__ == "__main__":
    sys.exit(main())
