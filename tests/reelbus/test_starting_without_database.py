"""A process that is started while its database server is away waits for it, as in a failover."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from setup.postgres.pair import address
from tests.support.postgres import Postgres
from tests.support.service import Command, Service
from tests.support.tcp_relay import TcpRelay, relay
from tests.support.waiting import eventually


@pytest.fixture
async def way(postgres: Postgres) -> AsyncIterator[TcpRelay]:
    """Give the network to the server, on which nobody is let in yet."""
    async with relay(postgres.server.port) as opened:
        opened.refuses = True
        yield opened


@pytest.fixture
def url(postgres: Postgres, way: TcpRelay) -> str:
    return address(way.port, database=postgres.new().rpartition("/")[2])


def _waits(log: Path) -> bool:
    return log.exists() and "waiting for the store" in log.read_text()


async def test_it_runs_when_the_database_is_there(tmp_path: Path, way: TcpRelay, url: str) -> None:
    service = Service(tmp_path, {"REELBUS_DATABASE_URL": url})
    starting = asyncio.create_task(service.start("receiver"))
    try:
        await eventually(lambda: _waits(tmp_path / "receiver.log"))
        way.refuses = False
        await starting
        assert service.leaks() == []
        assert "never-shown-anywhere" not in service.logs()
    finally:
        await service.close()


async def test_it_may_be_told_to_stop_meanwhile(tmp_path: Path, url: str) -> None:
    log = tmp_path / "poller.log"
    command = await Command.start("poller", env={"REELBUS_DATABASE_URL": url}, log=log)
    await eventually(lambda: _waits(log))
    assert await command.stop() == 0
