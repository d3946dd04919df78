"""What a subscriber must stand: test events, duplicates, late events, unknown types, and many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from aio_pika import DeliveryMode, Message

from publisher.signing import Sign
from publisher.trigger import TEST_HEADER, marked_message
from schemas.names import EVENT_KINDS
from schemas.samples import sample_event

BURST = 300
"""Duplicates sent in the end: more than a usual prefetch, so that one who acknowledges nothing stands still."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Messages to send, and whether the subscriber may dead-letter them."""

    name: str
    messages: Sequence[Message]
    may_be_dead_lettered: bool = False


def trials(sign: Sign) -> list[Trial]:
    """List what a subscriber must stand, signed as real events are."""
    ready = sample_event("ready")
    late = sample_event("late", changes=[("data.id", ready["data"]["id"]), ("subject", ready["subject"])])
    unknown = {**sample_event("ready"), "type": "video.newer_than_this_subscriber"}
    again = marked_message(ready, sign)
    no_json = Message(b"this is not JSON", delivery_mode=DeliveryMode.PERSISTENT, headers={TEST_HEADER: 1})
    return [
        *(Trial(f"test event video.{kind}", [marked_message(sample_event(kind), sign)]) for kind in EVENT_KINDS),
        Trial("duplicate", [again, again]),
        Trial("late event", [marked_message(late, sign)]),
        Trial("unknown type", [marked_message(unknown, sign)]),
        Trial("not JSON", [no_json], may_be_dead_lettered=True),
        Trial("acknowledgements", [again] * BURST),
    ]
