"""Sign and verify the addresses that we hand to providers, and the sessions of the console.

A token is the thing it opens and a keyed signature (HMAC-SHA256, RFC 2104, cut to 128 bits) of it, so that
verifying one needs no look-up, and a stranger's costs the store nothing. By hand: 4 to 7 µs and 43 characters, where
itsdangerous takes 14 and 63.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Sequence
from uuid import UUID

_SIGNATURE_BYTES = 16
_ID_BYTES = 16
_DIGEST_BYTES = 32
_LENGTHS = (43, 54)
"""Characters of a webhook's and of a picture's token."""

_LONG_WORDS = re.compile(r"[\w-]{43,}", re.ASCII)


class Signer:
    """Makes tokens with the first secret, and knows those made with any."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take at least one secret, newest first. Raises ValueError for none."""
        if not secrets:
            raise ValueError("at least one secret is needed")
        keys = [secret.encode() for secret in secrets]
        self._webhook_keys = [hashlib.sha256(b"webhook:" + key).digest() for key in keys]
        self._media_keys = [hashlib.sha256(b"media:" + key).digest() for key in keys]
        self._session_keys = [hashlib.sha256(b"session:" + key).digest() for key in keys]

    def webhook_token(self, attempt_id: str) -> str:
        """Make the token of an attempt's webhook address; `attempt_id` is 32 hexadecimal digits."""
        return _encoded(_signed(self._webhook_keys[0], bytes.fromhex(attempt_id)))

    def attempt_of(self, token: str) -> str | None:
        """Give the attempt that a webhook token was made for, or None if we did not make it."""
        raw = _decoded(token, _ID_BYTES + _SIGNATURE_BYTES)
        if raw is None or not _genuine(self._webhook_keys, raw):
            return None
        return raw[:_ID_BYTES].hex()

    def media_token(self, video_id: str, *, expires_at: float) -> str:
        """Make the token of a picture's address, which opens until `expires_at` (Unix seconds)."""
        return _encoded(_signed(self._media_keys[0], UUID(video_id).bytes + struct.pack(">Q", int(expires_at))))

    def video_of(self, token: str, *, now: float) -> str | None:
        """Give the video whose picture a media token opens, or None if it is not ours or has expired."""
        raw = _decoded(token, _ID_BYTES + 8 + _SIGNATURE_BYTES)
        if raw is None or not _genuine(self._media_keys, raw):
            return None
        (expires_at,) = struct.unpack(">Q", raw[_ID_BYTES : _ID_BYTES + 8])
        return str(UUID(bytes=raw[:_ID_BYTES])) if now < expires_at else None

    def session_token(self, key_digest: bytes, *, expires_at: float) -> str:
        """Make the token of a session of whoever showed the API key with this SHA-256 digest (32 bytes)."""
        return _encoded(_signed(self._session_keys[0], key_digest + struct.pack(">Q", int(expires_at))))

    def session_of(self, token: str, *, now: float) -> tuple[bytes, int] | None:
        """Give the digest of a session's API key and when it ends, or None if it is not ours or has ended."""
        raw = _decoded(token, _DIGEST_BYTES + 8 + _SIGNATURE_BYTES)
        if raw is None or not _genuine(self._session_keys, raw):
            return None
        (expires_at,) = struct.unpack(">Q", raw[_DIGEST_BYTES : _DIGEST_BYTES + 8])
        return (raw[:_DIGEST_BYTES], expires_at) if now < expires_at else None

    def masked(self, text: str) -> str:
        """Replace the tokens in a text that we made: whoever reads it must not be able to use them."""
        return _LONG_WORDS.sub(lambda word: "***" if self._holds_token(word[0]) else word[0], text)

    def _holds_token(self, word: str) -> bool:
        """Look at both ends of a word: `%2F` before a token, as in an encoded address, makes one word of both."""
        ends = {end for length in _LENGTHS if len(word) >= length for end in (word[:length], word[-length:])}
        return any(self.attempt_of(end) or self.video_of(end, now=0.0) for end in ends)


def _signed(key: bytes, content: bytes) -> bytes:
    return content + hmac.digest(key, content, "sha256")[:_SIGNATURE_BYTES]


def _genuine(keys: Sequence[bytes], raw: bytes) -> bool:
    content = raw[:-_SIGNATURE_BYTES]
    matches = [hmac.compare_digest(_signed(key, content), raw) for key in keys]
    return any(matches)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(token: str, length: int) -> bytes | None:
    """Decode a token of exactly `length` bytes, accepting only the one spelling that we would write."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == length and _encoded(raw) == token else None
