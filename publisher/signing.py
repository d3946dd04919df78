"""Sign events on the bus: the three headers that Standard Webhooks has for HTTP, as AMQP headers.

The signature covers the exact bytes of the body. Whoever may publish to the exchange, but does not have the secret,
can then make no event that a subscriber believes.
"""

import time
from collections.abc import Callable, Mapping

from process.settings import Settings
from process.standard_webhooks import signature_headers

Sign = Callable[[str, bytes], Mapping[str, str]]
"""Gives the headers that go along with an event, from its id and its body."""


def unsigned(_: str, __: bytes) -> Mapping[str, str]:
    """Give no header."""
    return {}


def signing(settings: Settings) -> Sign:
    """Sign with every secret of `REELBUS_EVENT_SIGNING_SECRET`, so that subscribers may know the newer or the older."""
    secrets = tuple(secret.get_secret_value() for secret in settings.event_signing_secret)
    if not secrets:
        return unsigned

    def sign(event_id: str, body: bytes) -> Mapping[str, str]:
        return signature_headers(*secrets, message_id=event_id, timestamp=int(time.time()), body=body)

    return sign
