"""The one request that costs money: sent on a fresh connection, with the last instant before it made known.

At that instant the connection and TLS stand and nothing was written, and the caller's hook is awaited. The instant
decides what a failure means, never the exception: before it the provider certainly saw nothing, after it nobody
knows. aiohttp repeats no POST, and is told to keep no connection, follow no redirect and look for no proxy.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import aiohttp

from providers.base import BeforeFirstByte
from providers.http.account import Account, tls_context
from providers.http.responses import Response
from providers.http.seen import note_answer
from providers.http.session import body_of, head_of, open_session
from providers.reports import NotAcceptedYet, OutcomeUnknown


class Submissions:
    """Sends paid requests to one provider, as many at once as it is asked to."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tls = tls_context(account.base_url)

    async def post(
        self,
        path: str,
        *,
        before_first_byte: BeforeFirstByte,
        json: object = None,
        form: Callable[[], aiohttp.MultipartWriter] | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Response | NotAcceptedYet | OutcomeUnknown:
        """Send a JSON document or a form. Raises only what `before_first_byte` raises, and cancellation.

        `headers` go along with those that every request carries.
        """
        request = _SubmissionRequest(self._account, self._tls, before_first_byte, headers)
        return await request.run(path, json, form)


class _Connector(aiohttp.TCPConnector):
    """Connects for one request, and awaits a hook when the connection stands and nothing was written to it."""

    def __init__(self, tls: ssl.SSLContext, hook: BeforeFirstByte) -> None:
        super().__init__(force_close=True, use_dns_cache=False, ssl=tls)
        self._hook = hook
        self._transport: asyncio.Transport | None = None

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[aiohttp.tracing.Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        """Connect, with TLS where the address says so, and await the hook."""
        connection = await super().connect(req, traces, timeout)
        self._transport = connection.transport
        try:
            await self._hook()
        except BaseException:
            # Not left to aiohttp: a hook of its `TraceConfig` that raises leaks the connection.
            connection.close()
            raise
        return connection

    def abort(self) -> None:
        """Drop the connection at once, though the other side may not have read what was written."""
        if self._transport is not None:
            self._transport.abort()


class _SubmissionRequest:
    """One request on its way, and how far it certainly got."""

    def __init__(
        self, account: Account, tls: ssl.SSLContext, before_first_byte: BeforeFirstByte, headers: Mapping[str, str]
    ) -> None:
        self._account = account
        self._headers = {**account.headers, **headers}
        self._hook = before_first_byte
        self._connector = _Connector(tls, self._before_first_byte)
        self._deadline = asyncio.timeout(account.timeout)
        self._may_have_left = False
        self._answer: Response | None = None
        self._hook_error: BaseException | None = None

    async def run(
        self, path: str, json: object, form: Callable[[], aiohttp.MultipartWriter] | None
    ) -> Response | NotAcceptedYet | OutcomeUnknown:
        """Send the request and read the answer."""
        try:
            async with self._deadline, open_session(self._connector, self._headers) as session:
                answer = await self._exchange(session, path, json, form)
                note_answer(answer)
                return answer
        except Exception as error:
            # Whatever broke, ours or theirs: how far the request certainly got decides.
            if self._hook_error is not None:
                raise self._hook_error from None
            return self._answer or self._outcome_of(error)
        finally:
            self._connector.abort()

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        path: str,
        json: object,
        form: Callable[[], aiohttp.MultipartWriter] | None,
    ) -> Response:
        data = form() if form else None
        async with session.post(self._account.url(path), json=json, data=data, allow_redirects=False) as response:
            # Should the body break off, the status alone may still be enough.
            self._answer = head_of(response)
            return replace(self._answer, body=await body_of(response))

    async def _before_first_byte(self) -> None:
        """Await the hook, while the provider's clock stands."""
        ends = self._deadline.when()
        began = asyncio.get_running_loop().time()
        self._deadline.reschedule(None)
        try:
            await self._hook()
        except BaseException as error:
            self._hook_error = error
            raise
        self._may_have_left = True
        self._deadline.reschedule(ends and ends + asyncio.get_running_loop().time() - began)

    def _outcome_of(self, error: Exception) -> NotAcceptedYet | OutcomeUnknown:
        account = self._account
        late = isinstance(error, TimeoutError)
        why = f"nothing within {account.timeout:g} seconds" if late else type(error).__name__
        if self._may_have_left:
            return OutcomeUnknown(f"{account.label} was asked, and no readable answer came ({why})")
        return NotAcceptedYet(f"{account.label} could not be reached ({why}); nothing was sent")
