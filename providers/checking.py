"""Questions that cost nothing and may be repeated: one shared client with kept connections.

It stands on aiohttp because a check through it costs a small part of the processor time that httpx takes. A
submission must know the instant of its first byte, and goes another way (see `providers.exchange`).
"""

import asyncio
import time

import aiohttp
from yarl import URL

from providers.account import Account, tls_context
from providers.answers import MAX_ANSWER_BYTES, Answer, seconds_to_wait

MAX_CONNECTIONS = 32
# Shorter than the five seconds for which common servers keep a connection, so that we close it first and
# never write a question into one that the server is just closing.
KEEP_SECONDS = 4.0


class Unanswered(Exception):
    """No answer came; the message says why, and nothing secret."""


class Checks:
    """Asks one provider. Nothing is followed, remembered or taken from the environment."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str) -> Answer:
        """Ask with GET. Raises `Unanswered`."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, document: object) -> Answer:
        """Ask with POST and a JSON document. Raises `Unanswered`."""
        return await self._ask("POST", path, document)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, path: str, document: object) -> Answer:
        session = self._session or self._open()
        try:
            async with (
                asyncio.timeout(self._account.timeout),
                session.request(
                    method,
                    # Identifiers are percent-encoded already.
                    URL(self._account.url(path), encoded=True),
                    json=document,
                    allow_redirects=False,
                ) as response,
            ):
                return await _read(response)
        except TimeoutError as error:
            limit = f"within {self._account.timeout:g} seconds"
            raise Unanswered(f"{self._account.label} did not answer {limit}") from error
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            # uvloop says RuntimeError, aiohttp and the name resolver ValueError, for some broken connections.
            raise Unanswered(f"{self._account.label} could not be asked ({type(error).__name__})") from error

    def _open(self) -> aiohttp.ClientSession:
        account = self._account
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS,
                keepalive_timeout=KEEP_SECONDS,
                ssl=tls_context(account.base_url),
            ),
            headers=account.headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            # `asyncio.timeout` around the whole is the only clock.
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None),
            trust_env=False,
        )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> Answer:
    retry_after = seconds_to_wait(response.headers.get("Retry-After"), time.time())
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return Answer(response.status, None, retry_after)
    body = bytearray()
    try:
        while chunk := await response.content.readany():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                return Answer(response.status, None, retry_after)
    except (aiohttp.ClientError, OSError):
        # The status came whole, and for most it is all that counts.
        return Answer(response.status, None, retry_after)
    return Answer(response.status, bytes(body), retry_after)
