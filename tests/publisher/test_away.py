"""Whatever becomes of the broker, no event is lost, none changes its id, and publishing resumes by itself."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from aio_pika.exceptions import ChannelNotFoundEntity
from prometheus_client.samples import Sample
from pydantic import SecretStr

from process import metrics
from process.settings import Settings
from publisher import topology
from publisher.broker_state import BrokerState
from publisher.timing import TIMING
from publisher.window import REFUSED
from schemas.names import EventType
from store import outbox
from store.database import Store
from tests.publisher.announcing import announce, announce_many, event_id, unpublished
from tests.publisher.conftest import QUICK, OpenRoom, Room
from tests.support.broker import Broker, Inbox, logged, subscribe
from tests.support.tcp_relay import relay
from tests.support.waiting import eventually

SLOWER = 3.0
"""How much slower than a quiet machine the one may be that runs this; the bound itself is a second."""


def _has(ids: Iterable[str]) -> Callable[[Inbox], bool]:
    wanted = set(ids)
    return lambda inbox: wanted <= set(inbox.ids)


async def _drained(store: Store) -> None:
    async def empty() -> bool:
        return await unpublished(store) == 0

    await eventually(empty)


def _failures(why: str) -> float:
    samples: list[Sample] = [
        sample
        for metric in metrics.publish_failures.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["reason"] == why
    ]
    return sum(sample.value for sample in samples)


async def test_a_room_starts_without_a_broker_and_publishes_once_there_is_one(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    await broker.kill()
    room = await open_room(settings, connected=False)
    ids = await announce_many(store, 50)
    await eventually(lambda: room.state.last_error is not None)
    assert room.state.last_error == "the broker cannot be reached"
    assert not room.state.connected

    await broker.start()
    await room.connected()
    await _drained(store)
    await eventually(lambda: room.state.last_error is None)

    inbox = logged(broker, settings.exchange)
    await inbox.take(50)
    assert inbox.ids == ids


async def test_killing_the_broker_in_mid_stream_loses_nothing_and_publishing_resumes(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    await open_room(settings, timing=TIMING)
    inbox = await subscribe(broker, settings.exchange)
    ids: list[str] = []

    async def keep_announcing(until: asyncio.Event) -> None:
        while not until.is_set():
            ids.extend(await announce_many(store, 20))
            await asyncio.sleep(0.05)

    enough = asyncio.Event()
    announcing = asyncio.create_task(keep_announcing(enough))
    await inbox.take(200)
    await broker.kill()
    await broker.start()
    await inbox.take(len(inbox.messages) + 200)
    enough.set()
    await announcing

    await inbox.until(_has(ids))
    await _drained(store)
    assert set(inbox.ids) == set(ids)


async def test_connections_closed_by_an_operator_are_rebuilt(broker: Broker, store: Store, room: Room) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    first = await announce_many(store, 100)
    await broker.close_all_connections()
    second = await announce_many(store, 100)

    await inbox.until(_has([*first, *second]))
    assert set(inbox.ids) == {*first, *second}


async def test_a_memory_alarm_delays_events_and_loses_none(broker: Broker, store: Store, room: Room) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    async with broker.memory_alarm():
        ids = await announce_many(store, 300)
        await eventually(lambda: room.state.last_error is not None)
        assert room.state.last_error == "events unconfirmed: the broker did not answer in time"
        assert await unpublished(store) == 300

    await inbox.until(_has(ids))
    await _drained(store)
    assert set(inbox.ids) == set(ids)


async def test_while_publishers_are_blocked_only_one_event_is_sent_again_and_again(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    await open_room(settings, timing=replace(QUICK, silence=0.5))
    inbox = await subscribe(broker, settings.exchange)
    async with broker.memory_alarm():
        before = _failures("unconfirmed")
        ids = await announce_many(store, 200)
        await eventually(lambda: _failures("unconfirmed") >= before + 3)

    await inbox.until(_has(ids))
    await _drained(store)
    assert {inbox.ids.count(event_id) for event_id in ids[1:]} == {1}


async def test_a_frozen_broker_is_given_up_and_taken_up_again_when_it_thaws(
    broker: Broker, store: Store, room: Room
) -> None:
    inbox = await subscribe(broker, room.settings.exchange)
    async with broker.frozen():
        ids = await announce_many(store, 100)
        await eventually(lambda: not room.state.connected)

    await inbox.until(_has(ids))
    await _drained(store)
    assert set(inbox.ids) == set(ids)


async def test_publishing_is_back_within_ten_seconds_where_one_node_lets_clients_in_and_does_nothing_for_them(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    port = urlsplit(broker.url).port or 0
    async with relay(port) as parted, relay(port) as sound:
        urls = ",".join(f"amqp://guest:guest@127.0.0.1:{way.port}/" for way in (parted, sound))
        room = await open_room(settings.model_copy(update={"amqp_url": SecretStr(urls)}), timing=TIMING)
        inbox = await subscribe(broker, settings.exchange)
        await announce(store, EventType.READY)
        await inbox.take(1)
        assert parted.connections

        parted.hold()
        began = time.monotonic()
        kept = await announce(store, EventType.FAILED)
        await inbox.until(_has([kept]))
        assert time.monotonic() - began < 10
        await _drained(store)
        assert sound.connections
        await room.stopped()


async def test_a_deleted_exchange_is_declared_again(broker: Broker, store: Store, room: Room) -> None:
    async with broker.channel() as channel:
        await channel.exchange_delete(room.settings.exchange)

    async def declared_again() -> bool:
        async with broker.channel() as channel:
            try:
                await channel.declare_exchange(room.settings.exchange, passive=True)
            except ChannelNotFoundEntity:
                return False
            return True

    await eventually(declared_again)
    await announce(store, EventType.READY)
    await _drained(store)


async def test_events_that_meet_a_deleted_exchange_are_published_when_it_is_back(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    await open_room(settings, timing=TIMING)  # whose own look at the topology comes too late to help
    async with broker.channel() as channel:
        await channel.exchange_delete(settings.exchange)
    ids = await announce_many(store, 30)

    await _drained(store)
    inbox = logged(broker, settings.exchange)
    await inbox.until(_has(ids))


async def test_an_event_that_nothing_takes_is_kept_and_the_log_is_declared_again(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    await open_room(settings, timing=TIMING)
    before = _failures("NO_ROUTE")
    async with broker.channel() as channel:
        await channel.queue_delete(topology.log_stream(settings.exchange))
    kept = await announce(store, EventType.READY)

    await _drained(store)
    assert _failures("NO_ROUTE") == before + 1
    inbox = logged(broker, settings.exchange)
    await inbox.take(1)
    assert inbox.ids == [kept]


async def test_a_refused_event_says_so_and_blocks_only_its_own_video(broker: Broker, store: Store, room: Room) -> None:
    inbox = await subscribe(broker, room.settings.exchange, "video.late.*")
    async with broker.channel() as channel:
        full = await channel.declare_queue(
            exclusive=True,
            arguments={"x-queue-type": "classic", "x-max-length": 1, "x-overflow": "reject-publish"},
        )
        await full.bind(room.settings.exchange, "video.ready.*")
        await announce(store, EventType.READY)
        await _drained(store)

        video_id = str(uuid4())
        await announce(store, EventType.READY, video_id=video_id)
        await announce(store, EventType.LATE, video_id=video_id)
        others = [await announce(store, EventType.LATE) for _ in range(20)]
        await inbox.until(_has(others))

        async def says_so() -> bool:
            return (await store.read(outbox.backlog)).last_error == REFUSED

        await eventually(says_so)
        assert event_id(video_id, EventType.LATE) not in inbox.ids
        assert room.state.connected
        await full.purge()
        await inbox.until(_has([event_id(video_id, EventType.LATE)]))
    await _drained(store)


async def test_five_thousand_refused_events_delay_others_by_less_than_a_second(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    room = await open_room(settings, timing=TIMING)
    inbox = await subscribe(broker, settings.exchange, "video.failed.*")
    async with broker.channel() as channel:
        full = await channel.declare_queue(
            exclusive=True,
            arguments={"x-queue-type": "classic", "x-max-length": 0, "x-overflow": "reject-publish"},
        )
        await full.bind(settings.exchange, "video.ready.*")
        await announce_many(store, 5000)

        async def all_refused() -> bool:
            return (await store.read(outbox.backlog)).refused == 5000

        await eventually(all_refused)
        started = time.monotonic()
        good = [await announce(store, EventType.FAILED) for _ in range(20)]
        await inbox.until(_has(good))
        assert time.monotonic() - started < 1.0 * SLOWER
        assert room.state.connected

        async def only_the_refused_are_left() -> bool:
            return (await store.read(outbox.backlog)).count == 5000

        await eventually(only_the_refused_are_left)


async def test_a_topology_that_is_not_ours_is_reported_without_a_hot_loop(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    async with broker.channel() as channel:
        await channel.declare_exchange(settings.exchange, "direct", durable=True)
    room = await open_room(settings, timing=TIMING, connected=False)
    await announce(store, EventType.READY)
    await eventually(lambda: room.state.last_error is not None)

    assert room.state.last_error is not None
    assert "the topology does not match" in room.state.last_error
    assert settings.exchange in room.state.last_error
    assert not room.state.connected
    async with broker.channel() as channel:
        await channel.exchange_delete(settings.exchange)
    await room.connected()
    await _drained(store)


async def test_wrong_credentials_are_reported_without_them(
    broker: Broker, open_room: OpenRoom, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = broker.settings(amqp_url=broker.url.replace("guest:guest", "guest:sesame-canary"))
    room = await open_room(wrong, connected=False)
    await eventually(lambda: room.state.last_error is not None)

    assert room.state.last_error == "the broker refused our credentials"
    await room.stopped()
    assert "sesame-canary" not in "".join(capsys.readouterr())


async def test_a_crash_after_the_confirmation_sends_the_same_event_again(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom
) -> None:
    room = await open_room(settings)
    inbox = await subscribe(broker, settings.exchange)
    video_id = str(uuid4())
    await announce(store, EventType.READY, video_id=video_id)
    await inbox.take(1)
    await room.stopped()
    await store.write(outbox.publish_again, video_id)  # as if the mark had never been made

    await open_room(settings)
    first, second = await inbox.take(2)
    assert (first.message_id, first.body) == (second.message_id, second.body)


def test_the_state_tells_since_when() -> None:
    state = BrokerState(since=1.0)
    state.down("no", now=2.0)
    assert state.since == 1.0
    state.up(now=3.0)
    state.up(now=4.0)
    assert (state.connected, state.since, state.last_error) == (True, 3.0, "no")
    state.clear_error()
    assert (state.connected, state.since, state.last_error) == (True, 3.0, None)
    state.down("gone", now=5.0)
    assert (state.connected, state.since, state.last_error) == (False, 5.0, "gone")
