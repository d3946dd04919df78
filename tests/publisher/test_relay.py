"""What the outbox holds reaches the broker as it was written, in each video's order, and is marked then."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aio_pika import DeliveryMode
from cloudevents.core.bindings import rabbitmq

from process.settings import Settings
from publisher import relay, window
from schemas.event import Event
from schemas.names import EventType
from store import outbox
from store.database import Store
from store.outbox import OutboxEvent
from tests.publisher.announcing import announce, announce_many, unpublished
from tests.publisher.conftest import QUICK, OpenRoom, Room
from tests.support.broker import Broker, subscribe
from tests.support.waiting import eventually


async def _drained(store: Store) -> None:
    async def empty() -> bool:
        return await unpublished(store) == 0

    await eventually(empty)


@pytest.fixture(params=["the fast way", "the public way"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish in both of the ways that there are."""
    fast = request.param == "the fast way"
    monkeypatch.setattr(window, "FAST", fast)


@pytest.mark.usefixtures("way")
async def test_an_event_arrives_with_the_documented_properties_and_the_stored_bytes(
    broker: Broker, store: Store, room: Room
) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    video_id = str(uuid4())
    before = int(time.time())
    event_id = await announce(store, EventType.READY, video_id=video_id)
    stored = (await store.read(outbox.after, seq=0, limit=1))[0]

    [message] = await inbox.take(1)

    assert message.routing_key == "video.ready.iacrea"
    assert message.exchange == room.settings.exchange
    assert message.message_id == event_id
    assert message.correlation_id == video_id
    assert message.type == "video.ready"
    assert message.content_type == "application/cloudevents+json"
    assert message.delivery_mode is DeliveryMode.PERSISTENT
    assert message.app_id == "reelbus"
    assert message.timestamp is not None
    assert before <= message.timestamp.timestamp() <= time.time()
    assert message.headers == {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": event_id,
        "cloudEvents_source": "/reelbus",
        "cloudEvents_type": "video.ready",
        "cloudEvents_subject": video_id,
        "cloudEvents_time": json.loads(message.body)["time"],
        "provider": "iacrea",
    }
    assert message.body == stored.body.encode()
    assert Event.model_validate_json(message.body).subject == video_id
    await _drained(store)


async def test_the_cloudevents_sdk_reads_an_event_as_it_came(broker: Broker, store: Store, room: Room) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    video_id = str(uuid4())
    event_id = await announce(store, EventType.READY, video_id=video_id)
    [message] = await inbox.take(1)
    text_headers = {name: str(value) for name, value in message.headers.items()}
    read = rabbitmq.from_rabbitmq_event(rabbitmq.RabbitMQMessage(text_headers, message.content_type, message.body))
    assert (read.get_id(), read.get_type(), read.get_subject()) == (event_id, "video.ready", video_id)
    assert read.get_data() == json.loads(message.body)["data"]


@pytest.mark.usefixtures("way")
async def test_events_of_any_size_arrive_whole(broker: Broker, store: Store, room: Room) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    sizes = [1, 131_063, 131_064, 131_065, 400_000]

    for size in sizes:
        body = json.dumps({"filler": "x" * size})
        await store.write(
            outbox.add,
            event_id=str(uuid4()),
            video_id=str(uuid4()),
            event_type=EventType.READY,
            routing_key="video.ready.iacrea",
            body=body,
            now=time.time(),
        )

    messages = await inbox.take(len(sizes))
    assert [len(json.loads(message.body)["filler"]) for message in messages] == sizes


@pytest.mark.usefixtures("way")
async def test_a_videos_events_arrive_in_the_order_in_which_they_were_decided(
    broker: Broker, store: Store, room: Room
) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    videos = [str(uuid4()) for _ in range(40)]
    order = [EventType.SUBMITTED, EventType.FALLBACK, EventType.READY, EventType.LATE]

    for event_type in order:
        for video_id in videos:
            await announce(store, event_type, video_id=video_id)

    messages = await inbox.take(len(videos) * len(order))
    for video_id in videos:
        assert [m.type for m in messages if m.correlation_id == video_id] == [str(type_) for type_ in order]


async def test_each_event_is_published_once_where_nothing_goes_wrong(broker: Broker, store: Store, room: Room) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    ids = await announce_many(store, 1500)
    await inbox.take(1500)
    await _drained(store)

    assert sorted(inbox.ids) == sorted(ids)


async def test_a_redelivered_terminal_event_has_the_same_id_and_the_same_bytes(
    broker: Broker, store: Store, room: Room
) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    video_id = str(uuid4())
    await announce(store, EventType.FAILED, video_id=video_id)
    await _drained(store)

    again = await store.write(outbox.publish_again, video_id)

    first, second = await inbox.take(2)
    assert first.message_id == second.message_id == again
    assert first.body == second.body


async def test_a_subscriber_gets_only_what_its_binding_takes(broker: Broker, store: Store, room: Room) -> None:
    failures = await subscribe(broker, room.settings.exchange, "video.failed.*")
    homedesigns = await subscribe(broker, room.settings.exchange, "#.homedesigns")
    await announce(store, EventType.READY, provider="iacrea")
    failed = await announce(store, EventType.FAILED, provider="iacrea")
    ready = await announce(store, EventType.READY, provider="homedesigns")

    await failures.take(1)
    await homedesigns.take(1)

    assert failures.ids == [failed]
    assert homedesigns.ids == [ready]


async def test_two_relays_take_turns_so_that_order_holds_and_nothing_is_sent_twice(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    rooms = [await open_room(settings) for _ in range(3)]
    inbox = await subscribe(broker, settings.exchange)
    videos = [str(uuid4()) for _ in range(200)]
    order = [EventType.SUBMITTED, EventType.READY]

    for event_type in order:
        for video_id in videos:
            await announce(store, event_type, video_id=video_id)
        await rooms.pop().stopped()  # politely: whoever had the turn gives it back

    messages = await inbox.take(400)
    await _drained(store)
    assert len(set(inbox.ids)) == len(inbox.ids) == 400
    for video_id in videos:
        assert [m.type for m in messages if m.correlation_id == video_id] == [str(type_) for type_ in order]


async def test_a_stopped_room_hands_its_turn_over_at_once(
    store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    first = await open_room(settings)
    await announce(store, EventType.READY)
    await _drained(store)
    second = await open_room(settings)

    started = time.monotonic()
    await first.stopped()
    await announce(store, EventType.READY)
    await _drained(store)

    assert second.state.connected
    assert time.monotonic() - started < 1.0


async def test_events_that_come_one_by_one_share_windows(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[int] = []

    async def send(channel: Any, exchange: str, events: Sequence[OutboxEvent], **given: Any) -> Any:
        windows.append(len(events))
        return await window.send(channel, exchange, events, **given)

    monkeypatch.setattr(relay, "send", send)
    gather = 0.1
    room = await open_room(settings, timing=replace(QUICK, gather=gather))
    inbox = await subscribe(broker, room.settings.exchange)
    began = time.monotonic()
    for _ in range(60):
        await announce(store, EventType.READY)
    await inbox.take(60)
    assert len(windows) <= (time.monotonic() - began) / gather + 2
    assert sum(windows) == 60
