"""Sign webhooks as the Standard Webhooks pages say: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import hashlib
import hmac


def standard_headers(secret: str, body: bytes, *, at: float, flaw: str, older: str | None = None) -> dict[str, str]:
    """Give the three headers. With an `older` secret both sign, as while a secret is rotated."""
    stamp = str(int(at))
    listed = [_signature(each, stamp, body) for each in (older, secret) if each]
    if flaw == "garbled":
        listed = ["v1,zz", "v2,AAAA"]
    if flaw == "other-version":
        listed = [entry.replace("v1,", "v1a,") for entry in listed]
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": " ".join(listed)}


def _signature(secret: str, stamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.rsplit("whsec_", maxsplit=1)[-1])
    made = hmac.new(key, b"msg_1." + stamp.encode() + b"." + body, hashlib.sha256)
    return "v1," + base64.b64encode(made.digest()).decode()
