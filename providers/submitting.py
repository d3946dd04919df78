"""The one request that costs money: sent on a fresh connection, with the last instant before it made known.

httpx tells its `trace` extension before it writes the first byte, after the connection and TLS stand. There
the caller's hook is awaited. The instant decides what a failure means, never the exception: before it the
provider certainly saw nothing, after it nobody knows.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from providers.account import Account, tls_context
from providers.answers import MAX_ANSWER_BYTES, Answer, seconds_to_wait
from providers.promise import SendingHook, SentHook
from providers.reports import NotAccepted, Unknown

MAX_CONNECTIONS = 32

FilePart = tuple[str | None, bytes | str] | tuple[str, bytes, str]
"""One part of a form, in httpx's way: file name (None for a plain field), content, type."""


class Submissions:
    """Sends paid requests to one provider."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._client = httpx.AsyncClient(
            headers=account.headers,
            # A little less for connecting, so that httpx itself ends and closes what does not come about.
            timeout=httpx.Timeout(account.timeout, connect=0.95 * account.timeout),
            # A kept connection that dies leaves open whether the request arrived.
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
            verify=tls_context(account.base_url),
            follow_redirects=False,
            trust_env=False,
        )

    async def post(
        self,
        path: str,
        *,
        sending: SendingHook,
        sent: SentHook,
        json: object = None,
        parts: Mapping[str, FilePart] | None = None,
    ) -> Answer | NotAccepted | Unknown:
        """Send a JSON document or a form. Raises only what `sending` raises, and cancellation."""
        passage = _Passage(self._account, sending, sent)
        request = self._client.build_request(
            "POST", self._account.url(path), json=json, files=parts, extensions={"trace": passage.trace}
        )
        return await passage.through(self._client, request)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


class _Passage:
    """One request on its way, and how far it certainly got."""

    def __init__(self, account: Account, sending: SendingHook, sent: SentHook) -> None:
        self._account = account
        self._sending = sending
        self._sent = sent
        self._deadline = asyncio.timeout(account.timeout)
        self._left = False
        self._answer: Answer | None = None
        self._objection: BaseException | None = None

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """Await the hooks; the provider's clock stands while the first of them runs."""
        if event == "http11.send_request_body.complete":
            await self._sent()
        elif event == "http11.send_request_headers.started":
            await self._let_go()

    async def _let_go(self) -> None:
        ends = self._deadline.when()
        began = asyncio.get_running_loop().time()
        self._deadline.reschedule(None)
        try:
            await self._sending()
        except BaseException as objection:
            self._objection = objection
            raise
        self._left = True
        self._deadline.reschedule(ends and ends + asyncio.get_running_loop().time() - began)

    async def through(self, client: httpx.AsyncClient, request: httpx.Request) -> Answer | NotAccepted | Unknown:
        """Send the request and read the answer."""
        try:
            async with self._deadline:
                return await self._exchange(client, request)
        except Exception as error:
            # Whatever broke, ours or theirs: how far the request certainly got decides.
            if self._objection is not None:
                raise self._objection from None
            return self._answer or self._lost(error)

    async def _exchange(self, client: httpx.AsyncClient, request: httpx.Request) -> Answer:
        response = await client.send(request, stream=True)
        try:
            retry_after = seconds_to_wait(response.headers.get("Retry-After"), time.time())
            # Should the body break off, the status alone may still be enough.
            self._answer = Answer(response.status_code, None, retry_after)
            return replace(self._answer, body=await _body(response))
        finally:
            await response.aclose()

    def _lost(self, error: Exception) -> NotAccepted | Unknown:
        account = self._account
        late = isinstance(error, TimeoutError | httpx.TimeoutException)
        why = f"nothing within {account.timeout:g} seconds" if late else type(error).__name__
        if self._left:
            return Unknown(f"{account.label} was asked, and no readable answer came ({why})")
        return NotAccepted(f"{account.label} could not be reached ({why}); nothing was sent")


async def _body(response: httpx.Response) -> bytes | None:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return None
    return bytes(body)
