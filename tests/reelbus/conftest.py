"""Run the command `reelbus` as a user does."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from aio_pika import ExchangeType

from tests.support.broker import Broker

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """What a command came to."""

    status: int
    output: str
    errors: str


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a function that runs a command in an empty folder."""

    def run_command(*words: str, **env: str) -> Ended:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}
        ended = subprocess.run(
            [sys.executable, "-m", "reelbus", *words],
            cwd=tmp_path,
            env={**clean, "PYTHONPATH": str(ROOT), **env},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run_command


@pytest_asyncio.fixture
async def exchange(broker: Broker) -> AsyncIterator[str]:
    """Give an exchange of the test's own that exists already."""
    name = broker.settings().exchange
    async with broker.channel() as channel:
        await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
    yield name
    async with broker.channel() as channel:
        await channel.exchange_delete(name)
        await channel.queue_delete(f"{name}.log")
