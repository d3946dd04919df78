"""The one HTTP client that all requests to third parties go through: aiohttp, with everything optional switched off."""

import time
from collections.abc import Mapping

import aiohttp

from providers.http.responses import MAX_RESPONSE_BYTES, Response, seconds_ahead, seconds_to_wait

MAX_HEADER_BYTES = 64 * 1024
"""Bytes of one header line of an answer; some gateways send long ones."""

REQUEST_ERRORS = (aiohttp.ClientError, OSError, ValueError, RuntimeError)
"""What a request may raise for what the network or the other side does.

uvloop says RuntimeError, aiohttp and the name resolver ValueError, for some broken connections.
"""


def open_session(connector: aiohttp.TCPConnector, headers: Mapping[str, str]) -> aiohttp.ClientSession:
    """Open a session that keeps no cookies, unpacks nothing and takes nothing from the environment.

    It has no time limit of its own: callers put one `asyncio.timeout` around the whole, and follow no redirects.
    """
    return aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None),
        trust_env=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


def head_of(response: aiohttp.ClientResponse) -> Response:
    """Give what the head of an answer says by itself: its status, and how long it asks to wait."""
    now = time.time()
    retry_after = seconds_to_wait(response.headers.get("Retry-After"), now)
    ahead = seconds_ahead(response.headers.get("Date"), now)
    return Response(response.status, None, retry_after, response.headers.get("Content-Type"), ahead)


async def body_of(response: aiohttp.ClientResponse) -> bytes | None:
    """Read an answer's body; None where it is compressed against our wish, longer than the limit, or breaks off."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    body = bytearray()
    try:
        while chunk := await response.content.readany():
            body += chunk
            if len(body) > MAX_RESPONSE_BYTES:
                return None
    except (aiohttp.ClientError, OSError):
        # The status came whole, and for most it is all that counts.
        return None
    return bytes(body)
