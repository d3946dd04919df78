"""Questions that cost nothing and may be repeated: one shared session with kept connections."""

import asyncio
from dataclasses import replace

import aiohttp

from providers.http.account import Account, tls_context
from providers.http.responses import Response
from providers.http.seen import note_answer
from providers.http.session import REQUEST_ERRORS, body_of, head_of, open_session

MAX_CONNECTIONS = 32
# Shorter than the five seconds for which common servers keep a connection, so that we close it first and
# never write a question into one that the server is just closing.
KEEP_SECONDS = 4.0


class NoResponse(Exception):
    """No answer came; the message says why, and nothing secret."""


class ProviderHttp:
    """Asks one provider. Nothing is followed, remembered or taken from the environment."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str) -> Response:
        """Ask with GET. Raises `NoResponse`."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, document: object) -> Response:
        """Ask with POST and a JSON document. Raises `NoResponse`."""
        return await self._ask("POST", path, document)

    async def put(self, path: str) -> Response:
        """Ask with PUT and no body. Raises `NoResponse`."""
        return await self._ask("PUT", path, None)

    async def delete(self, path: str) -> Response:
        """Ask with DELETE. Raises `NoResponse`."""
        return await self._ask("DELETE", path, None)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, path: str, document: object) -> Response:
        session = self._session or self._open()
        try:
            async with (
                asyncio.timeout(self.account.timeout),
                session.request(method, self.account.url(path), json=document, allow_redirects=False) as response,
            ):
                answer = replace(head_of(response), body=await body_of(response))
                note_answer(answer)
                return answer
        except TimeoutError as error:
            limit = f"within {self.account.timeout:g} seconds"
            raise NoResponse(f"{self.account.label} did not answer {limit}") from error
        except REQUEST_ERRORS as error:
            raise NoResponse(f"{self.account.label} could not be asked ({type(error).__name__})") from error

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_SECONDS, ssl=tls_context(self.account.base_url)
        )
        self._session = open_session(connector, self.account.headers)
        return self._session
