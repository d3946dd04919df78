"""A small HTTP/1.1 client that goes nowhere but loopback and the hosts it is told of.

Webhooks are sent by the thousand in load tests, so this costs a fraction of a full client.
"""

import asyncio
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

REDIRECTS = (301, 302, 303, 307, 308)
HEAD_LINES = 100


class Unreachable(Exception):
    """The address may not be reached, or nobody there gave a readable answer."""


class OutOfReach(Unreachable):
    """The address is not on loopback."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loopback:
    """Sends requests to loopback; `reach` names further hosts that are allowed."""

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
                    reply = await self._once("GET", url, b"", "", limit)
                    if reply.status not in REDIRECTS or "location" not in reply.headers:
                        return reply
                    url = urljoin(url, reply.headers["location"])
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            raise Unreachable(type(error).__name__) from error
        raise Unreachable("too many redirects")

    async def post(self, url: str, body: bytes, content_type: str, *, timeout: float) -> int:
        """Post a body and give the answer's status. Raises Unreachable."""
        try:
            async with asyncio.timeout(timeout):
                return (await self._once("POST", url, body, content_type, 0)).status
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            raise Unreachable(type(error).__name__) from error

    async def _once(self, method: str, url: str, body: bytes, content_type: str, limit: int) -> Reply:
        if not self.may_reach(url):
            raise OutOfReach("not on loopback")
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        try:
            writer.write(_head(method, parts.netloc, parts.path, parts.query, content_type, len(body)) + body)
            await writer.drain()
            return await _reply(reader, limit)
        finally:
            writer.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _head(method: str, netloc: str, path: str, query: str, content_type: str, length: int) -> bytes:
    target = (path or "/") + (f"?{query}" if query else "")
    lines = [
        f"{method} {target} HTTP/1.1",
        f"host: {netloc.rpartition('@')[2]}",
        "connection: close",
        "user-agent: sandbox",
        "accept: */*",
    ]
    if content_type:
        lines.append(f"content-type: {content_type}")
    if method != "GET":
        lines.append(f"content-length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def _reply(reader: asyncio.StreamReader, limit: int) -> Reply:
    version, _, rest = (await reader.readline()).partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise Unreachable("no HTTP answer")
    status = int(rest[:3])
    headers: dict[str, str] = {}
    for _ in range(HEAD_LINES):
        line = (await reader.readline()).strip()
        if not line:
            break
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return Reply(status, await _body(reader, headers, limit) if limit else b"", headers)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str], limit: int) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _chunks(reader, limit)
    if "content-length" in headers:
        return await reader.readexactly(_within(int(headers["content-length"]), limit))
    body = b""
    while piece := await reader.read(65536):
        body += piece
        _within(len(body), limit)
    return body


async def _chunks(reader: asyncio.StreamReader, limit: int) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        _within(len(body) + size, limit)
        body += await reader.readexactly(size)
        await reader.readline()
    return body


def _within(size: int, limit: int) -> int:
    if size > limit:
        raise Unreachable(f"more than {limit} bytes")
    return size
