"""The secret that an account's webhooks are signed with: fetched, and again when it seems to have changed."""

import asyncio
import time

from providers.base import WebhookMessage
from providers.http.client import NoResponse, ProviderHttp
from providers.parsing.answers import Answers
from providers.parsing.signatures import standard_signature
from providers.reports import Signature

ASKED_SECONDS = 180.0
"""The secret is fetched no more often, whatever comes in."""


class WebhookSecret:
    """Kept until a signature does not match it."""

    def __init__(self, http: ProviderHttp, answers: Answers) -> None:
        self._http = http
        self._answers = answers
        self._kept: str | None = None
        self._asked_at: float | None = None
        self._turn = asyncio.Lock()

    async def verify(self, message: WebhookMessage) -> Signature:
        """Say what the signature is worth; UNCHECKED where the secret cannot be had."""
        signature = standard_signature([self._kept] if self._kept else [], message)
        if signature is Signature.WRONG:
            await self._fetch()
            signature = standard_signature([self._kept], message) if self._kept else Signature.UNCHECKED
        return signature

    async def _fetch(self) -> None:
        async with self._turn:
            now = time.monotonic()
            if self._asked_at is not None and now - self._asked_at < ASKED_SECONDS:
                return
            self._asked_at = now
            try:
                answer = await self._http.get("/v1/webhooks/default/secret")
            except NoResponse:
                return
            key = self._answers.document(answer).get("key")
            if answer.status == 200 and isinstance(key, str):
                self._kept = key
