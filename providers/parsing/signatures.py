"""Verify the signatures of webhooks by the Standard Webhooks specification: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import binascii
import hmac
from collections.abc import Sequence

from providers.base import WebhookMessage
from providers.reports import Signature
from providers.standard_webhooks import STANDARD_HEADERS

TOLERANCE_SECONDS = 300.0
"""How far from its delivery a signature's own time may be."""

_PREFIX = "whsec_"
_MOST_SIGNATURES = 16


def standard_signature(secrets: Sequence[str], message: WebhookMessage) -> Signature:
    """Say what the signature is worth; it is GOOD where any of the secrets, old or new, made any of those listed.

    Only entries of version `v1` count. A secret that is none counts for nothing.
    """
    found = [message.headers.get(name) for name in STANDARD_HEADERS]
    if any(value is None for value in found):
        return Signature.MISSING
    message_id, timestamp, listed = (value or "" for value in found)
    signed = b".".join((message_id.encode(), timestamp.encode(), message.body))
    entries = [entry.removeprefix("v1,") for entry in listed.split()[:_MOST_SIGNATURES] if entry.startswith("v1,")]
    if not any(_made_by(secret, signed, entry) for secret in secrets for entry in entries):
        return Signature.WRONG
    return freshness(timestamp, message.received_at)


def freshness(timestamp: str, received_at: float) -> Signature:
    """Say whether a signed time, in Unix seconds, is within five minutes of the delivery: GOOD or STALE."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return Signature.WRONG
    return Signature.GOOD if abs(int(timestamp) - received_at) <= TOLERANCE_SECONDS else Signature.STALE


def _made_by(secret: str, signed: bytes, entry: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
    return bool(key) and hmac.compare_digest(expected, entry.encode())
