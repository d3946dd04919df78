"""Every subscriber in `examples/` acts once on each event, whatever happens to it, to the broker or to a message."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import pytest

from process.standard_webhooks import new_secret, signature_headers
from tests.examples.conftest import CLIP, SECRETS, ExampleProgram, declare, depth, publish
from tests.examples.relay import SwallowingRelay
from tests.support.broker import Broker
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(240)

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def ready(clip: str, **changes: object) -> dict[str, Any]:
    """Make the event of a finished video."""
    video_id = str(uuid4())
    video = {"id": video_id, "status": "ready", "output_urls": [clip], "refund": None, "metadata": {"listing": "42"}}
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/reelbus",
        "type": "video.ready",
        "subject": video_id,
        "time": "2026-01-31T12:00:00.000000Z",
        "datacontenttype": "application/json",
        "data": video,
        "traceparent": TRACE,
        **changes,
    }


async def send(broker: Broker, subscriber: ExampleProgram, event: dict[str, Any]) -> None:
    key = f"{event['type']}.iacrea"
    await publish(broker, subscriber.environment["EXCHANGE"], key, json.dumps(event).encode())


async def subscribed(broker: Broker, subscriber: ExampleProgram) -> None:
    await declare(broker, subscriber.environment["EXCHANGE"])
    await subscriber.subscribed()


async def test_it_waits_for_the_exchange_and_acts_on_an_event(
    broker: Broker, subscriber: ExampleProgram, clips: str
) -> None:
    await subscriber.start()
    await eventually(lambda: bool(subscriber.output))
    await declare(broker, subscriber.environment["EXCHANGE"])
    await subscriber.says("subscribed")
    event = ready(clips)
    await send(broker, subscriber, event)
    await subscriber.says("handled")
    [(video_id, status, clip, trace)] = subscriber.listings()
    assert (video_id, status, trace) == (event["subject"], "ready", TRACE)
    assert (subscriber.folder / str(clip)).read_bytes() == CLIP


async def test_a_duplicate_an_unknown_type_and_a_test_event_change_nothing(
    broker: Broker, subscriber: ExampleProgram, clips: str
) -> None:
    await subscribed(broker, subscriber)
    event = ready(clips)
    await send(broker, subscriber, event)
    await send(broker, subscriber, event)
    await send(broker, subscriber, ready(clips, type="video.ready", reelbustest=True))
    await publish(
        broker,
        subscriber.environment["EXCHANGE"],
        "video.ready.iacrea",  # so that it arrives whatever the binding is
        json.dumps(ready(clips, type="video.remastered")).encode(),
    )
    await subscriber.says("a duplicate")
    await subscriber.says("ignored", times=2)
    assert len(subscriber.listings()) == 1
    assert await depth(broker, subscriber.environment["QUEUE"] + ".dead") == 0


async def test_what_it_cannot_read_is_dead_lettered_and_the_next_event_is_handled(
    broker: Broker, subscriber: ExampleProgram, clips: str
) -> None:
    await subscribed(broker, subscriber)
    for body in (b"not json", b"[]", b"\xff\xfe"):
        await publish(broker, subscriber.environment["EXCHANGE"], "video.ready.iacrea", body)
    await send(broker, subscriber, ready(clips))
    await subscriber.says("handled")
    dead = subscriber.environment["QUEUE"] + ".dead"

    async def all_parked() -> bool:
        return await depth(broker, dead) == 3

    await eventually(all_parked)


async def test_what_nobody_signed_and_what_was_changed_is_dead_lettered(
    broker: Broker, subscriber: ExampleProgram, clips: str
) -> None:
    await subscribed(broker, subscriber)
    exchange, dead = subscriber.environment["EXCHANGE"], subscriber.environment["QUEUE"] + ".dead"
    genuine = json.dumps(ready(clips)).encode()
    signature = signature_headers(*SECRETS, message_id="any", timestamp=int(time.time()), body=genuine)
    strangers = signature_headers(new_secret(), message_id="any", timestamp=int(time.time()), body=genuine)
    await publish(broker, exchange, "video.ready.iacrea", genuine, {})
    await publish(broker, exchange, "video.ready.iacrea", genuine, strangers)
    await publish(broker, exchange, "video.ready.iacrea", genuine.replace(b"ready", b"reddy"), signature)
    await subscriber.says("signature", times=3)
    await publish(broker, exchange, "video.ready.iacrea", genuine, signature)
    await subscriber.says("handled")
    assert len(subscriber.listings()) == 1

    async def all_parked() -> bool:
        return await depth(broker, dead) == 3

    await eventually(all_parked)


async def test_all_come_back_after_the_broker_was_killed(
    broker: Broker, subscribers: list[ExampleProgram], clips: str
) -> None:
    await asyncio.gather(*(subscribed(broker, each) for each in subscribers))
    await broker.kill()
    await broker.start()
    # Published once; its durable queue keeps the event until the subscriber is back.
    await asyncio.gather(*(send(broker, each, ready(clips)) for each in subscribers))
    for each in subscribers:
        await each.says("handled")
        assert each.running
        assert len(each.listings()) == 1


async def test_a_crash_between_work_and_acknowledgement_is_not_work_done_twice(
    broker: Broker, subscriber: ExampleProgram, line: SwallowingRelay, clips: str
) -> None:
    await subscribed(broker, subscriber)
    await publish_and_lose_the_acknowledgement(broker, subscriber, line, ready(clips))
    line.forward()
    await subscriber.subscribed()
    await subscriber.says("a duplicate")
    assert len(subscriber.listings()) == 1


async def publish_and_lose_the_acknowledgement(
    broker: Broker, subscriber: ExampleProgram, line: SwallowingRelay, event: dict[str, Any]
) -> None:
    line.swallow()
    await send(broker, subscriber, event)
    await subscriber.says("handled")
    await subscriber.kill()
