"""A stranger's picture, fetched without letting the stranger choose where we connect.

The guard sits where the connection is made: a name is resolved once, every address it has must be public, and
the connection goes to the very address that was checked, so that a name server that changes its answer gains
nothing. Redirects are followed by hand, each through the same guard.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from ipaddress import ip_address

import httpcore
import httpx

from providers.account import tls_context
from providers.answers import seconds_to_wait
from schemas.addresses import image_url_fault, is_public

MAX_REDIRECTS = 5
MAX_ADDRESSES = 4

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives every address of a host; raises OSError where the name server fails."""

_HEADERS: Mapping[bytes | str, bytes | str] = {
    "User-Agent": "reelbus",
    "Accept": "image/png, image/jpeg, */*;q=0.1",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class PictureRefused(Exception):
    """There is no picture for us at this address, and asking again would not change it."""


class PictureUnavailable(Exception):
    """The picture's host gave no answer this time. `retry_after` is in seconds, where it named a wait."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


async def resolve(host: str, port: int) -> list[str]:
    """Ask the machine's resolver for every address of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def fetch_picture(
    url: str, *, allow_private: bool, max_bytes: int, timeout: float, resolver: Resolve = resolve
) -> bytes:
    """Fetch at most `max_bytes` within `timeout` seconds, redirects included; what they are is not checked.

    Raises `PictureRefused` or `PictureUnavailable`; neither names the address.
    """
    backend = GuardedBackend(resolver, allow_private=allow_private)
    try:
        async with (
            asyncio.timeout(timeout),
            httpcore.AsyncConnectionPool(
                ssl_context=tls_context("https:"), network_backend=backend, max_keepalive_connections=0
            ) as pool,
        ):
            return await _follow(pool, url, max_bytes, allow_private=allow_private)
    except TimeoutError as error:
        raise PictureUnavailable(f"the picture's host took longer than {timeout:g} seconds") from error
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        raise PictureUnavailable(f"the picture's host broke off ({type(error).__name__})") from error


async def _follow(pool: httpcore.AsyncConnectionPool, url: str, max_bytes: int, *, allow_private: bool) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        fault = image_url_fault(url, allow_private=allow_private)
        if fault is not None:
            raise PictureRefused(f"the picture's address {fault}")
        found = await _get(pool, url, max_bytes)
        if isinstance(found, bytes):
            return found
        url = found
    raise PictureRefused(f"the picture's host redirected more than {MAX_REDIRECTS} times")


async def _get(pool: httpcore.AsyncConnectionPool, url: str, max_bytes: int) -> bytes | str:
    """Give the picture, or the address to which its host redirects."""
    try:
        parsed = httpx.URL(url)
        target = httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)
    except (httpx.InvalidURL, ValueError) as error:
        raise PictureRefused("the picture's address cannot be read") from error
    async with pool.stream("GET", target, headers=_HEADERS) as response:
        headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
        if response.status in _REDIRECTS:
            return _next(parsed, headers.get(b"location"))
        _check_head(response.status, headers, max_bytes)
        return await _read(response, max_bytes)


def _next(here: httpx.URL, location: str | None) -> str:
    if not location:
        raise PictureRefused("the picture's host redirected without saying where to")
    try:
        return str(here.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise PictureRefused("the picture's host redirected to an address that cannot be read") from error


def _check_head(status: int, headers: dict[bytes, str], max_bytes: int) -> None:
    if status in (408, 429) or status >= 500:
        wait = seconds_to_wait(headers.get(b"retry-after"), time.time())
        raise PictureUnavailable(f"the picture's host answered {status}", wait)
    if status != 200:
        raise PictureRefused(f"the picture's host answered {status}")
    if headers.get(b"content-encoding", "identity").lower() != "identity":
        raise PictureRefused("the picture's host answered compressed, though asked not to")
    length = headers.get(b"content-length", "")
    if length.isdecimal() and int(length[:20]) > max_bytes:
        raise PictureRefused(_too_large(max_bytes))


async def _read(response: httpcore.Response, max_bytes: int) -> bytes:
    picture = bytearray()
    async for chunk in response.aiter_stream():
        picture += chunk
        if len(picture) > max_bytes:
            raise PictureRefused(_too_large(max_bytes))
    if not picture:
        raise PictureRefused("the picture's host answered with nothing")
    return bytes(picture)


def _too_large(max_bytes: int) -> str:
    return f"the picture is larger than {max_bytes} bytes"


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that were looked up once and found public."""

    def __init__(self, resolver: Resolve, *, allow_private: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolve = resolver
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the host's addresses, all of which must be public."""
        addresses = await self._allowed(host, port)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def _allowed(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolve(host, port)
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                raise PictureRefused("the picture's host name does not exist") from error
            raise
        except UnicodeError as error:
            raise PictureRefused("the picture's host name cannot be looked up") from error
        if not addresses:
            raise PictureRefused("the picture's host name has no address")
        if not self._allow_private and not all(is_public(ip_address(address)) for address in addresses):
            raise PictureRefused("the picture's host has an address that is not public")
        return addresses[:MAX_ADDRESSES]
