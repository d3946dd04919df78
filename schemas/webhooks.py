"""Webhook deliveries as the API shows them to operators."""

from schemas.names import Provider
from schemas.video import Document, Timestamp


class WebhookDelivery(Document):
    """One delivery that was recorded.

    `body` is the beginning of what came, as text; null where it was too large, came too often or is too old.
    `handled_at` is when the check that it asked for was made due. `late` says that its attempt had ended before. The
    video is null once it has been erased.
    """

    id: str
    received_at: Timestamp
    provider: Provider | None
    video_id: str | None
    attempt: int | None
    bytes: int
    content_type: str | None
    body: str | None
    handled_at: Timestamp | None
    late: bool


class WebhookPage(Document):
    """Deliveries, newest first; `next_cursor` is null on the last page."""

    items: list[WebhookDelivery]
    next_cursor: str | None


class RefusedWebhook(Document):
    """A request to the webhook address that was answered 404: `reason` says what its token was not."""

    id: str
    at: Timestamp
    provider: str
    peer: str
    reason: str


class RefusedWebhooks(Document):
    """The newest refused requests, newest first; at most thirty a minute are noted."""

    items: list[RefusedWebhook]
