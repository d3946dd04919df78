"""Publish test events, marked as such, as the relay would publish real ones."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aio_pika import DeliveryMode, Message

from process.settings import Settings
from publisher.broker_state import BrokerState
from publisher.connection_errors import reason
from publisher.event_frames import APP_ID
from publisher.signing import Sign, signing
from publisher.supervisor import link
from publisher.timing import TIMING
from publisher.watch import BrokerUnavailable
from schemas.event import CONTENT_TYPE, headers, routing_key

TEST_HEADER = "x-reelbus-test"


async def trigger(settings: Settings, events: Iterable[dict[str, Any]]) -> None:
    """Publish test events with publisher confirms. Raises `BrokerUnavailable` if the broker does not take one."""
    sign = signing(settings)
    try:
        async with link(settings, BrokerState(), TIMING, name="trigger") as opened:
            channel = await opened.connection.channel(on_return_raises=True)
            exchange = await channel.get_exchange(settings.exchange, ensure=False)
            for event in events:
                key = routing_key(event["type"], event["data"]["provider"])
                await exchange.publish(marked_message(event, sign), key, mandatory=True, timeout=TIMING.confirm)
    except Exception as error:
        raise BrokerUnavailable(reason(error)) from error


def marked_message(event: dict[str, Any], sign: Sign) -> Message:
    """Make the AMQP message of a test event: properties and headers of a real one, and a header that marks it."""
    body = json.dumps(event, ensure_ascii=False).encode()
    return Message(
        body,
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        correlation_id=event["subject"],
        message_id=event["id"],
        type=event["type"],
        app_id=APP_ID,
        headers={**_headers(event), **sign(event["id"], body), TEST_HEADER: 1},
    )


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    key = routing_key(event["type"], event["data"]["provider"])
    repeated = {f"cloudEvents_{name}": event[name] for name in ("id", "subject", "time")}
    trace = {"traceparent": event["traceparent"]} if "traceparent" in event else {}
    return {**headers(event["type"], key, event["source"]), **repeated, **trace}
