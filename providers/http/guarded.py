"""Ask a stranger's address without letting the stranger choose where we connect (the guard against SSRF).

A name is looked up once, every address it has must be public, and the connection goes to one of the very addresses
that were checked, so that a name server that changes its answer (DNS rebinding) gains nothing. Redirects are
followed by hand, each through the same guard.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from providers.http.account import tls_context
from providers.http.session import REQUEST_ERRORS, open_session
from schemas.addresses import image_url_fault, is_public

MAX_REDIRECTS = 5
MAX_ADDRESSES = 4

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives every address of a host; raises OSError where the name server fails, TimeoutError where it is too slow."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_VISIBLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class AddressRefused(Exception):
    """We do not connect to this address, and asking again would not change it."""


class HostUnavailable(Exception):
    """The host gave no whole answer this time."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Asks the addresses of strangers; messages call what lies there the `thing`, and never name the address."""

    resolve: Resolve
    allow_private: bool
    thing: str

    @asynccontextmanager
    async def opened(
        self, url: str, *, headers: Mapping[str, str], timeout: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give the answer at an address, redirects followed; all of it within `timeout` seconds.

        Raises `AddressRefused` or `HostUnavailable`, also for a body that breaks off inside the block.
        """
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(self), use_dns_cache=False, force_close=True, ssl=tls_context("https:")
        )
        try:
            async with (
                asyncio.timeout(timeout),
                open_session(connector, headers) as session,
                self._followed(session, url) as response,
            ):
                yield response
        except aiohttp.InvalidURL as error:
            raise AddressRefused(f"the {self.thing}'s address cannot be read") from error
        except TimeoutError as error:
            raise HostUnavailable(f"the {self.thing}'s host took longer than {timeout:g} seconds") from error
        except REQUEST_ERRORS as error:
            raise HostUnavailable(f"the {self.thing}'s host broke off ({type(error).__name__})") from error

    @asynccontextmanager
    async def _followed(self, session: aiohttp.ClientSession, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(self._target(url), allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    yield response
                    return
                url = self._next(url, response.headers.get("Location"))
        raise AddressRefused(f"the {self.thing}'s host redirected more than {MAX_REDIRECTS} times")

    def _target(self, url: str) -> URL:
        """Write an address as it goes over the wire: what is escaped already (a signature, say) stays as it is."""
        self._insist(url)
        try:
            parts = urlsplit(url)
            origin = str(URL(f"{parts.scheme}://{parts.netloc}").origin())
            path = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
            target = URL(origin + quote(path, safe=_VISIBLE_ASCII), encoded=True)
        except ValueError as error:
            raise AddressRefused(f"the {self.thing}'s address cannot be read") from error
        # The host as aiohttp reads it, which connects to a literal address without asking the resolver.
        self._insist(origin)
        return target

    def _insist(self, url: str) -> None:
        fault = image_url_fault(url, allow_private=self.allow_private)
        if fault is not None:
            raise AddressRefused(f"the {self.thing}'s address {fault}")

    def _next(self, here: str, location: str | None) -> str:
        if not location:
            raise AddressRefused(f"the {self.thing}'s host redirected without saying where to")
        try:
            return urljoin(here, location)
        except ValueError as error:
            message = f"the {self.thing}'s host redirected to an address that cannot be read"
            raise AddressRefused(message) from error


class GuardedResolver(AbstractResolver):
    """Gives only addresses that were looked up just now and found public, for aiohttp to connect to."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the signature is aiohttp's
    ) -> list[ResolveResult]:
        """Look a host up; all of its addresses must be public. Raises what `Guard.opened` raises, or OSError."""
        thing = self._guard.thing
        addresses = [ip_address(address) for address in await self._looked_up(host, port)]
        if not addresses:
            raise AddressRefused(f"the {thing}'s host name has no address")
        if not self._guard.allow_private and not all(is_public(address) for address in addresses):
            raise AddressRefused(f"the {thing}'s host has an address that is not public")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Close nothing."""

    async def _looked_up(self, host: str, port: int) -> list[str]:
        thing = self._guard.thing
        try:
            return await self._guard.resolve(host, port)
        except TimeoutError as error:
            raise HostUnavailable(f"the name of the {thing}'s host was not found in time") from error
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                raise AddressRefused(f"the {thing}'s host name does not exist") from error
            raise
        except UnicodeError as error:
            raise AddressRefused(f"the {thing}'s host name cannot be looked up") from error
