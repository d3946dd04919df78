"""Webhook deliveries for operators: what came, and what was refused."""

from starlette.requests import Request
from starlette.responses import Response

from intake.context import Context
from receiver.audit_log import page_query
from schemas.names import Provider
from schemas.times import optional_rfc3339, rfc3339
from schemas.video import Document
from schemas.webhooks import RefusedWebhook, RefusedWebhooks, WebhookDelivery, WebhookPage
from store import refused_webhooks, webhooks
from store.webhooks import Shown

SHOWN_BYTES = 4096
"""How much of a body is shown."""

_REFUSED_SHOWN = 200


class Deliveries:
    """The routes under `/v1/webhooks`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list(self, request: Request) -> Response:
        """Show what was recorded, newest first."""
        limit, cursor = page_query(request)
        before = None if cursor is None else int(cursor)
        found = await self._context.store.read(webhooks.page, before=before, limit=limit + 1)
        items = [_shown(delivery) for delivery in found[:limit]]
        return _document(WebhookPage(items=items, next_cursor=items[-1].id if len(found) > limit else None))

    async def refused(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Show the newest requests that were refused."""
        found = await self._context.store.read(refused_webhooks.newest, limit=_REFUSED_SHOWN)
        return _document(
            RefusedWebhooks(
                items=[
                    RefusedWebhook(id=str(id_), at=rfc3339(at), provider=provider, peer=peer, reason=reason)
                    for id_, at, provider, peer, reason in found
                ]
            )
        )


def _shown(delivery: Shown) -> WebhookDelivery:
    webhook = delivery.webhook
    return WebhookDelivery(
        id=str(webhook.id),
        received_at=rfc3339(webhook.received_at),
        provider=None if delivery.provider is None else Provider(delivery.provider),
        video_id=delivery.video_id,
        attempt=delivery.number,
        bytes=webhook.size,
        content_type=webhook.content_type,
        body=None if webhook.body is None else bytes(webhook.body[:SHOWN_BYTES]).decode("utf-8", "backslashreplace"),
        handled_at=optional_rfc3339(delivery.handled_at),
        late=delivery.finished_at is not None and delivery.finished_at < webhook.received_at,
    )


def _document(shown: Document) -> Response:
    return Response(shown.model_dump_json(), media_type="application/json")
