"""Hosts: each reaches the database, the brokers and the providers through relays of its own, which can be hurt."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from setup.postgres.pair import Pair, address
from tests.support.tcp_relay import TcpRelay, relay

DATABASE = "chaos"
TWICE_OVER_DATABASE = {"receiver": 2, "generator": 2, "poller": 2, "publisher": 2}
TWICE_OVER_FILE = {"receiver": 2, "publisher": 2}
"""How many processes of which roles two hosts have when nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Host:
    """The network between one host and everybody else."""

    database: list[TcpRelay] = field(default_factory=list)
    """One to each server, in the order in which the address names them; none where the store is a file."""
    brokers: list[TcpRelay] = field(default_factory=list)
    """One to each node."""
    providers: list[TcpRelay] = field(default_factory=list)
    """One to the stand-ins of all of them."""
    amqp_urls: str = ""
    provider_urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """What this host's processes are told otherwise than others."""
        env = {"REELBUS_AMQP_URL": self.amqp_urls, **self.provider_urls}
        if self.database:
            env["REELBUS_DATABASE_URL"] = address(*(each.port for each in self.database), database=DATABASE)
        return env


@asynccontextmanager
async def connected_host(
    pair: Pair | None, brokers: Sequence[str], providers: Mapping[str, str], *, first: int
) -> AsyncIterator[Host]:
    """Connect a host to a database, to brokers and to the stand-ins that the settings in `providers` name.

    Of the brokers it tries the one in place `first` before the others.
    """
    async with AsyncExitStack() as stack:
        servers = [pair.primary, pair.standby] if pair else []
        database = [await stack.enter_async_context(relay(server.port)) for server in servers]
        ways = [await stack.enter_async_context(relay(urlsplit(url).port or 5672)) for url in brokers]
        urls = [_moved(url, way.port) for url, way in zip(brokers, ways, strict=True)]
        [stand_ins] = {urlsplit(url).port or 80 for url in providers.values()}
        way = await stack.enter_async_context(relay(stand_ins))
        moved = {name: _moved(url, way.port) for name, url in providers.items()}
        yield Host(database, ways, [way], ",".join(urls[first:] + urls[:first]), moved)


def _moved(url: str, port: int) -> str:
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}127.0.0.1:{port}").geturl()
