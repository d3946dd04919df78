"""Fetch a stranger's picture without letting the stranger choose where we connect (the guard against SSRF).

A name is looked up once, every address it has must be public, and the connection goes to one of the very addresses
that were checked, so that a name server that changes its answer (DNS rebinding) gains nothing. Redirects are
followed by hand, each through the same guard.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import quote, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from providers.http.account import tls_context
from providers.http.session import REQUEST_ERRORS, head_of, open_session
from schemas.addresses import image_url_fault, is_public

MAX_REDIRECTS = 5
MAX_ADDRESSES = 4

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives every address of a host; raises OSError where the name server fails, TimeoutError where it is too slow."""

_HEADERS = {
    "User-Agent": "reelbus",
    "Accept": "image/png, image/jpeg, */*;q=0.1",
    "Accept-Encoding": "identity",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_VISIBLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class PictureRefused(Exception):
    """There is no picture for us at this address, and asking again would not change it."""


class PictureUnavailable(Exception):
    """The picture's host gave no answer this time. `retry_after` is in seconds, where it named a wait."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


async def fetch_picture(url: str, *, resolver: Resolve, allow_private: bool, max_bytes: int, timeout: float) -> bytes:
    """Fetch at most `max_bytes` within `timeout` seconds, redirects included; what they are is not checked.

    Raises `PictureRefused` or `PictureUnavailable`; neither names the address.
    """
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(resolver, allow_private=allow_private),
        use_dns_cache=False,
        force_close=True,
        ssl=tls_context("https:"),
    )
    try:
        async with asyncio.timeout(timeout), open_session(connector, _HEADERS) as session:
            return await _follow(session, url, max_bytes, allow_private=allow_private)
    except aiohttp.InvalidURL as error:
        raise PictureRefused("the picture's address cannot be read") from error
    except TimeoutError as error:
        raise PictureUnavailable(f"the picture's host took longer than {timeout:g} seconds") from error
    except REQUEST_ERRORS as error:
        raise PictureUnavailable(f"the picture's host broke off ({type(error).__name__})") from error


async def _follow(session: aiohttp.ClientSession, url: str, max_bytes: int, *, allow_private: bool) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        target = _target(url, allow_private=allow_private)
        async with session.get(target, allow_redirects=False) as response:
            if response.status not in _REDIRECTS:
                _check_head(response, max_bytes)
                return await _read(response, max_bytes)
            url = _next(url, response.headers.get("Location"))
    raise PictureRefused(f"the picture's host redirected more than {MAX_REDIRECTS} times")


def _target(url: str, *, allow_private: bool) -> URL:
    """Write an address as it goes over the wire: what is escaped already (a signature, say) stays as it is."""
    _insist(url, allow_private=allow_private)
    try:
        parts = urlsplit(url)
        origin = str(URL(f"{parts.scheme}://{parts.netloc}").origin())
        path = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
        target = URL(origin + quote(path, safe=_VISIBLE_ASCII), encoded=True)
    except ValueError as error:
        raise PictureRefused("the picture's address cannot be read") from error
    # The host as aiohttp reads it, which connects to a literal address without asking the resolver.
    _insist(origin, allow_private=allow_private)
    return target


def _insist(url: str, *, allow_private: bool) -> None:
    fault = image_url_fault(url, allow_private=allow_private)
    if fault is not None:
        raise PictureRefused(f"the picture's address {fault}")


def _next(here: str, location: str | None) -> str:
    if not location:
        raise PictureRefused("the picture's host redirected without saying where to")
    try:
        return urljoin(here, location)
    except ValueError as error:
        raise PictureRefused("the picture's host redirected to an address that cannot be read") from error


def _check_head(response: aiohttp.ClientResponse, max_bytes: int) -> None:
    status = response.status
    if status in (408, 429) or status >= 500:
        raise PictureUnavailable(f"the picture's host answered {status}", head_of(response).retry_after)
    if status != 200:
        raise PictureRefused(f"the picture's host answered {status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PictureRefused("the picture's host answered compressed, though asked not to")
    if (response.content_length or 0) > max_bytes:
        raise PictureRefused(_too_large(max_bytes))


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    picture = bytearray()
    while chunk := await response.content.readany():
        picture += chunk
        if len(picture) > max_bytes:
            raise PictureRefused(_too_large(max_bytes))
    if not picture:
        raise PictureRefused("the picture's host answered with nothing")
    return bytes(picture)


def _too_large(max_bytes: int) -> str:
    return f"the picture is larger than {max_bytes} bytes"


class GuardedResolver(AbstractResolver):
    """Gives only addresses that were looked up just now and found public, for aiohttp to connect to."""

    def __init__(self, resolve: Resolve, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the signature is aiohttp's
    ) -> list[ResolveResult]:
        """Look a host up; all of its addresses must be public. Raises what `fetch_picture` raises, or OSError."""
        addresses = [ip_address(address) for address in await self._looked_up(host, port)]
        if not addresses:
            raise PictureRefused("the picture's host name has no address")
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise PictureRefused("the picture's host has an address that is not public")
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
        try:
            return await self._resolve(host, port)
        except TimeoutError as error:
            raise PictureUnavailable("the name of the picture's host was not found in time") from error
        except socket.gaierror as error:
            if error.errno in _NO_SUCH_NAME:
                raise PictureRefused("the picture's host name does not exist") from error
            raise
        except UnicodeError as error:
            raise PictureRefused("the picture's host name cannot be looked up") from error
