"""Hosts: each reaches the database and the brokers through relays of its own, which can be hurt."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from setup.postgres.pair import Pair, address
from tests.support.tcp_relay import Relay, relay

DATABASE = "chaos"
TWICE_OVER_DATABASE = {"receiver": 2, "generator": 2, "poller": 2, "publisher": 2}
TWICE_OVER_FILE = {"receiver": 2, "publisher": 2}
"""How many processes of which roles two hosts have when nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Host:
    """The network between one host and everybody else."""

    database: list[Relay] = field(default_factory=list)
    """One to each server, in the order in which the address names them; none where the store is a file."""
    brokers: list[Relay] = field(default_factory=list)
    """One to each node."""
    amqp_urls: str = ""

    @property
    def env(self) -> dict[str, str]:
        """What this host's processes are told otherwise than others."""
        env = {"REELBUS_AMQP_URL": self.amqp_urls}
        if self.database:
            env["REELBUS_DATABASE_URL"] = address(*(each.port for each in self.database), database=DATABASE)
        return env


@asynccontextmanager
async def connected_host(pair: Pair | None, brokers: Sequence[str], *, first: int) -> AsyncIterator[Host]:
    """Connect a host to a database and to brokers, of which it tries the one in place `first` before the others."""
    async with AsyncExitStack() as stack:
        servers = [pair.primary, pair.standby] if pair else []
        database = [await stack.enter_async_context(relay(server.port)) for server in servers]
        ways = [await stack.enter_async_context(relay(urlsplit(url).port or 5672)) for url in brokers]
        urls = [_moved(url, way.port) for url, way in zip(brokers, ways, strict=True)]
        yield Host(database, ways, ",".join(urls[first:] + urls[:first]))


def _moved(url: str, port: int) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
