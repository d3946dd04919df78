"""An HTTP client that goes nowhere but loopback and the hosts it is told of."""

import asyncio
import io
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import aiohttp

REDIRECTS = (301, 302, 303, 307, 308)


class Unreachable(Exception):
    """The address may not be reached, or nobody there gave a readable answer."""


class OutOfReach(Unreachable):
    """The address is not on loopback."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Loopback:
    """Sends requests to loopback, each on a connection of its own; `reach` names further hosts that are allowed."""

    reach: tuple[str, ...] = ()

    def may_reach(self, url: str) -> bool:
        """Say whether this address is one that may be asked."""
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            return False
        host = parts.hostname or ""
        if parts.scheme != "http" or not host:
            return False
        return host == "localhost" or host in self.reach or _is_loopback(host)

    async def fetch(self, url: str, *, limit: int, timeout: float) -> Reply:
        """Get a document of at most `limit` bytes, over at most five redirects. Raises Unreachable."""
        try:
            async with asyncio.timeout(timeout):
                for _ in range(6):
                    reply = await self._once("GET", url, limit=limit)
                    if reply.status not in REDIRECTS or reply.location is None:
                        return reply
                    url = urljoin(url, reply.location)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unreachable(type(error).__name__) from error
        raise Unreachable("too many redirects")

    async def post(
        self, url: str, body: bytes, content_type: str, *, timeout: float, headers: Mapping[str, str] | None = None
    ) -> int:
        """Post a body and give the answer's status. Raises Unreachable."""
        try:
            async with asyncio.timeout(timeout):
                return (await self._once("POST", url, body, {"Content-Type": content_type, **(headers or {})})).status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise Unreachable(type(error).__name__) from error

    async def _once(
        self, method: str, url: str, body: bytes = b"", more: Mapping[str, str] | None = None, limit: int = 0
    ) -> Reply:
        if not self.may_reach(url):
            raise OutOfReach("not on loopback")
        given = {name: value for name, value in (more or {}).items() if value}
        headers = {"User-Agent": "sandbox", "Accept-Encoding": "identity", **given}
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            ) as session,
            session.request(
                method,
                url,
                data=io.BytesIO(body) if body else None,
                headers=headers,
                skip_auto_headers=("Content-Type",),
                allow_redirects=False,
            ) as answer,
        ):
            found = await _body(answer.content, limit) if limit else b""
            return Reply(answer.status, found, answer.headers.get("Location"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _body(content: aiohttp.StreamReader, limit: int) -> bytes:
    body = bytearray()
    while piece := await content.readany():
        body += piece
        if len(body) > limit:
            raise Unreachable(f"more than {limit} bytes")
    return bytes(body)
