"""Orders to submit, hooks to pass, and the credentials that must never come back out."""

from providers.base import Order
from schemas.names import Motion, Orientation

KEY = "canary-4f7a1c9e2b8d6035"
USER = "7d1f0a4e-6a55-4a0c-9d2a-0f5f3b1c2d3e"
PATIENT = 8.0
"""Seconds for what is expected to succeed, however busy the machine."""
HASTY = 1.0
"""Seconds for what is expected to run out of time."""


def an_order(
    motion: Motion = Motion.ZOOM_IN,
    orientation: Orientation = Orientation.LANDSCAPE,
    prompt: str | None = None,
    content_type: str = "image/png",
) -> Order:
    """Write an order that suits both providers."""
    return Order(
        motion=motion,
        orientation=orientation,
        prompt=prompt,
        image_url="https://pictures.example/room.png",
        image=b"\x89PNG picture",
        content_type=content_type,
        webhook_url="https://reelbus.example/webhooks/iacrea/tokentokentoken1",
        name="018f0000000070008000000000000001",
    )


class Marker:
    """A hook that remembers that it was awaited, or objects."""

    def __init__(self, objection: BaseException | None = None) -> None:
        self.fired = 0
        self._objection = objection

    async def __call__(self) -> None:
        self.fired += 1
        if self._objection is not None:
            raise self._objection
