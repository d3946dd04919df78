"""The keys that webhooks are signed by, where a provider is asked for them."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from providers.http.client import NoResponse, ProviderHttp
from providers.parsing.json import decode
from providers.reports import Signature

ASKED_SECONDS = 180.0
"""Keys are fetched no more often, whatever comes in."""

Key = TypeVar("Key")


class FetchedKeys(Generic[Key]):
    """Fetched when a signature first needs them, when they are old, and when one seems to be made by others.

    `read` finds the keys in the answer's document; where it finds none, those that are known stay.
    """

    def __init__(
        self,
        http: ProviderHttp,
        path: str,
        read: Callable[[object], Sequence[Key]],
        *,
        kept_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._path = path
        self._read = read
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._keys: Sequence[Key] = ()
        self._fetched_at = -math.inf
        self._asked_at = -math.inf
        self._turn = asyncio.Lock()

    async def verify(self, check: Callable[[Sequence[Key]], Signature]) -> Signature:
        """Say what a signature is worth by `check`, which is WRONG without keys; UNCHECKED where none can be had."""
        signature = check(self._keys)
        old = self._clock() - self._fetched_at > self._kept_seconds
        if signature is Signature.WRONG or (old and signature is not Signature.MISSING):
            await self._fetch()
            signature = check(self._keys) if self._keys else Signature.UNCHECKED
        return signature

    async def _fetch(self) -> None:
        async with self._turn:
            if self._clock() - self._asked_at < ASKED_SECONDS:
                return
            self._asked_at = self._clock()
            try:
                answer = await self._http.get(self._path)
            except NoResponse:
                return
            keys = self._read(decode(answer.body)) if answer.status == 200 else ()
            if keys:
                self._keys, self._fetched_at = keys, self._clock()
