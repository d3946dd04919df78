"""Sign messages as the Standard Webhooks specification says: HMAC-SHA256 over `id.timestamp.body`.

The secret is `whsec_` and the base64 of 24 to 64 random bytes. A receiver recomputes the signature over the exact
bytes of the body, compares in constant time, and refuses a timestamp more than five minutes from now.
"""

import base64
import binascii
import hmac
from secrets import token_bytes

_PREFIX = "whsec_"


def new_secret() -> str:
    """Make a secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(token_bytes(32)).decode()


def signature_headers(*secrets: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Give the three headers that go along with a body; `timestamp` is in Unix seconds.

    Several secrets give several signatures, of which a receiver needs one: so a secret is rotated. Raises
    ValueError, with the mend, for a secret of another form.
    """
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret_key(secret), signed, "sha256")).decode()


def secret_key(secret: str) -> bytes:
    """Decode a secret. Raises ValueError, with the mend, for another form."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 bytes, as in: whsec_$(openssl rand -base64 32)")
    return key
