"""The one request that costs money: sent on a fresh connection, with the last instant before it made known.

At that instant the connection and TLS stand and nothing was written, and the caller's hook is awaited. The instant
decides what a failure means, never the exception: before it the provider certainly saw nothing, after it nobody
knows. httpx only writes the request down; `providers.exchange` sends it, so that there is nothing underneath that
repeats, redirects, remembers cookies or looks for a proxy.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import httpx

from providers.account import Account, tls_context
from providers.answers import MAX_ANSWER_BYTES, Answer, seconds_to_wait
from providers.exchange import Reply, exchange
from providers.promise import SendingHook, SentHook
from providers.reports import NotAccepted, Unknown

FilePart = tuple[str | None, bytes | str] | tuple[str, bytes, str]
"""One part of a form, in httpx's way: file name (None for a plain field), content, type."""

# Of the few addresses there are, each is read once.
_parsed = cache(httpx.URL)


class Submissions:
    """Sends paid requests to one provider, as many at once as it is asked to."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tls = tls_context(account.base_url)

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

        def written() -> httpx.Request:
            address = _parsed(self._account.url(path))
            return httpx.Request("POST", address, headers=self._account.headers, json=json, files=parts)

        return await _Passage(self._account, sending, sent).through(written, self._tls)


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

    async def through(
        self, written: Callable[[], httpx.Request], tls: ssl.SSLContext
    ) -> Answer | NotAccepted | Unknown:
        """Have the request written down, send it and read the answer."""
        try:
            async with self._deadline:
                return await self._exchange(written(), tls)
        except Exception as error:
            # Whatever broke, ours or theirs: how far the request certainly got decides.
            if self._objection is not None:
                raise self._objection from None
            return self._answer or self._lost(error)

    async def _exchange(self, request: httpx.Request, tls: ssl.SSLContext) -> Answer:
        async with exchange(request, tls, sending=self._let_go, sent=self._sent) as reply:
            retry_after = seconds_to_wait(reply.header(b"retry-after"), time.time())
            # Should the body break off, the status alone may still be enough.
            self._answer = Answer(reply.status, None, retry_after)
            return replace(self._answer, body=await _body(reply))

    async def _let_go(self) -> None:
        """Await the hook, while the provider's clock stands."""
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

    def _lost(self, error: Exception) -> NotAccepted | Unknown:
        account = self._account
        late = isinstance(error, TimeoutError)
        why = f"nothing within {account.timeout:g} seconds" if late else type(error).__name__
        if self._left:
            return Unknown(f"{account.label} was asked, and no readable answer came ({why})")
        return NotAccepted(f"{account.label} could not be reached ({why}); nothing was sent")


async def _body(reply: Reply) -> bytes | None:
    encoding = reply.header(b"content-encoding") or "identity"
    return await reply.body(MAX_ANSWER_BYTES) if encoding.lower() == "identity" else None
