"""fal's public keys, and the Ed25519 signature of its webhooks."""

import asyncio
import base64
import binascii
import hashlib
import time
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from providers.base import WebhookMessage
from providers.fal.capabilities import CAPABILITIES
from providers.http.client import NoResponse, ProviderHttp
from providers.parsing.json import decode
from providers.parsing.signatures import freshness
from providers.reports import Signature

KEPT_SECONDS = 24 * 3600.0
"""After which the key set is fetched again."""

ASKED_SECONDS = 180.0
"""The key set is fetched no more often, whatever comes in."""

MAX_KEYS = 16


class KeySet:
    """The keys that sign for all of fal's customers, fetched when they are needed."""

    def __init__(self, http: ProviderHttp, path: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._path = path
        self._clock = clock
        self._keys: list[Ed25519PublicKey] = []
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._turn = asyncio.Lock()

    async def verify(self, message: WebhookMessage) -> Signature:
        """Say what the signature is worth; UNCHECKED where the keys cannot be had."""
        parts = signed_parts(message)
        if isinstance(parts, Signature):
            return parts
        text, signature, timestamp = parts
        if self._fetched_at is None or self._clock() - self._fetched_at > KEPT_SECONDS:
            await self._fetch()
        if not made_by_any(self._keys, text, signature):
            await self._fetch()
            if self._fetched_at is None:
                return Signature.UNCHECKED
            if not made_by_any(self._keys, text, signature):
                return Signature.WRONG
        return freshness(timestamp, message.received_at)

    async def _fetch(self) -> None:
        async with self._turn:
            if self._asked_at is not None and self._clock() - self._asked_at < ASKED_SECONDS:
                return
            self._asked_at = self._clock()
            try:
                answer = await self._http.get(self._path)
            except NoResponse:
                return
            keys = keys_in(decode(answer.body)) if answer.status == 200 else []
            if keys:
                self._keys, self._fetched_at = keys, self._clock()


def signed_parts(message: WebhookMessage) -> tuple[bytes, bytes, str] | Signature:
    """Give the text that was signed, the signature, and the signed time; MISSING or WRONG where there is none."""
    values = [message.headers.get(name) for name in CAPABILITIES.webhook_headers]
    if any(value is None for value in values):
        return Signature.MISSING
    request_id, user_id, timestamp, signature = (value or "" for value in values)
    try:
        raw = binascii.unhexlify(signature)
    except (binascii.Error, ValueError):
        return Signature.WRONG
    digest = hashlib.sha256(message.body).hexdigest()
    return "\n".join((request_id, user_id, timestamp, digest)).encode(), raw, timestamp


def made_by_any(keys: list[Ed25519PublicKey], text: bytes, signature: bytes) -> bool:
    """Say whether any of the keys made the signature."""
    for key in keys:
        try:
            key.verify(signature, text)
        except InvalidSignature:
            continue
        return True
    return False


def keys_in(document: object) -> list[Ed25519PublicKey]:
    """Read the Ed25519 keys of a JWK set; what is none is left out."""
    entries = document.get("keys") if isinstance(document, dict) else None
    found = [_key(entry) for entry in entries[:MAX_KEYS]] if isinstance(entries, list) else []
    return [key for key in found if key is not None]


def _key(entry: object) -> Ed25519PublicKey | None:
    if not isinstance(entry, dict) or entry.get("kty") != "OKP" or entry.get("crv") != "Ed25519":
        return None
    text = entry.get("x")
    if not isinstance(text, str):
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return None
