"""fal's public keys, and the Ed25519 signature of its webhooks."""

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from providers.base import WebhookMessage
from providers.fal.capabilities import CAPABILITIES
from providers.http.client import ProviderHttp
from providers.parsing.fetched_keys import FetchedKeys
from providers.parsing.signatures import freshness
from providers.reports import Signature

KEPT_SECONDS = 24 * 3600.0
"""After which the key set is fetched again."""

MAX_KEYS = 16


class KeySet:
    """The keys that sign for all of fal's customers, fetched when they are needed."""

    def __init__(self, http: ProviderHttp, path: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = FetchedKeys(http, path, keys_in, kept_seconds=KEPT_SECONDS, clock=clock)

    async def verify(self, message: WebhookMessage) -> Signature:
        """Say what the signature is worth; UNCHECKED where the keys cannot be had."""
        parts = signed_parts(message)
        if isinstance(parts, Signature):
            return parts
        text, signature, timestamp = parts
        return await self._keys.verify(
            lambda keys: (
                freshness(timestamp, message.received_at) if made_by_any(keys, text, signature) else Signature.WRONG
            )
        )


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


def made_by_any(keys: Sequence[Ed25519PublicKey], text: bytes, signature: bytes) -> bool:
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
