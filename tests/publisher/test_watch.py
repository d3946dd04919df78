"""A watch tells what the binding takes: from now on, from the newest, from the beginning, or from a while ago."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aio_pika import Message

from process.settings import Settings
from publisher.topology import log_stream
from publisher.watch import Arrival, BrokerUnavailable, seconds_ago, watch
from schemas.names import EventType
from store.database import Store
from tests.publisher.announcing import announce, announce_many
from tests.publisher.conftest import QUICK, Room
from tests.support.broker import Broker, logged
from tests.support.waiting import GIVE_UP_SECONDS, eventually


@dataclass
class Watching:
    """A watch in progress and what it has told so far."""

    seen: list[Arrival] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ids(self) -> list[str]:
        return [json.loads(arrival.body)["id"] for arrival in self.seen]


@asynccontextmanager
async def watching(settings: Settings, binding: str = "video.#", start: str | None = None) -> AsyncIterator[Watching]:
    """Watch for as long as the context lasts; ready from its beginning."""
    it = Watching()
    task = asyncio.create_task(watch(settings, binding, start, it.seen.append, it.stop, ready=it.ready, timing=QUICK))
    try:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await it.ready.wait()
        yield it
    finally:
        it.stop.set()
        async with asyncio.timeout(5):
            await task


async def test_from_now_on_it_tells_what_arrives_and_nothing_before(store: Store, room: Room) -> None:
    [_] = await announce_many(store, 1)
    async with watching(room.settings) as before:
        pass
    async with watching(room.settings) as it:
        ids = await announce_many(store, 30)
        await eventually(lambda: len(it.seen) >= 30)

    assert before.seen == []
    assert it.ids == ids
    assert it.seen[0].routing_key == "video.ready.iacrea"


@pytest.mark.parametrize("start", [None, "first", "last", "1h"])
async def test_it_tells_only_what_the_binding_takes(store: Store, room: Room, start: str | None) -> None:
    async with watching(room.settings, "video.failed.*", start) as it:
        await announce(store, EventType.READY)
        failed = await announce(store, EventType.FAILED)
        await announce(store, EventType.READY)
        await eventually(lambda: bool(it.seen))

    assert it.ids == [failed]


async def test_from_the_first_it_tells_everything_and_goes_on(broker: Broker, store: Store, room: Room) -> None:
    earlier = await announce_many(store, 1000)
    await logged(broker, room.settings.exchange).take(1000)
    async with watching(room.settings, start="first") as it:
        later = await announce_many(store, 10)
        await eventually(lambda: len(it.seen) >= 1010)

    assert it.ids == [*earlier, *later]


async def test_from_the_last_it_tells_the_newest_and_goes_on(broker: Broker, store: Store, room: Room) -> None:
    earlier = await announce_many(store, 200)
    await logged(broker, room.settings.exchange).take(200)
    async with watching(room.settings, start="last") as it:
        later = await announce_many(store, 10)
        await eventually(lambda: len(it.seen) >= 11)

    assert it.ids == [earlier[-1], *later]


async def test_from_the_last_of_an_empty_log_it_tells_what_comes(store: Store, room: Room) -> None:
    async with watching(room.settings, start="last") as it:
        ids = await announce_many(store, 3)
        await eventually(lambda: len(it.seen) >= 3)

    assert it.ids == ids


async def test_from_a_while_ago_it_leaves_out_what_is_older(broker: Broker, store: Store, room: Room) -> None:
    async with broker.channel() as channel:
        old = Message(b'{"id": "old"}', message_id="old", timestamp=int(time.time()) - 7200)
        exchange = await channel.get_exchange(room.settings.exchange, ensure=False)
        await exchange.publish(old, "video.ready.iacrea")
    young = await announce_many(store, 5)
    await logged(broker, room.settings.exchange).take(6)

    async with watching(room.settings, start="1h") as it:
        await eventually(lambda: len(it.seen) >= 5)
    async with watching(room.settings, start="3h") as longer:
        await eventually(lambda: len(longer.seen) >= 6)

    assert it.ids == young
    assert longer.ids == ["old", *young]


async def test_a_replay_goes_on_without_a_seam_after_the_connection_was_lost(
    broker: Broker, store: Store, room: Room
) -> None:
    async with watching(room.settings, start="first") as it:
        first = await announce_many(store, 50)
        await eventually(lambda: len(it.seen) >= 50)
        await broker.close_all_connections()
        second = await announce_many(store, 50)
        await eventually(lambda: set(it.ids) >= {*first, *second})

    assert list(dict.fromkeys(it.ids)) == [*first, *second]


async def test_a_live_watch_connects_again(broker: Broker, store: Store, room: Room) -> None:
    async with watching(room.settings) as it:
        await broker.close_all_connections()

        async def told() -> bool:
            await announce(store, EventType.READY)
            await asyncio.sleep(0.05)
            return bool(it.seen)

        await eventually(told)


async def test_without_a_broker_it_says_so(broker: Broker) -> None:
    nowhere = broker.settings(amqp_url="amqp://guest:guest@127.0.0.1:1/")
    with pytest.raises(BrokerUnavailable, match="the broker cannot be reached"):
        await watch(nowhere, "#", None, lambda _: None, asyncio.Event(), timing=QUICK)


async def test_what_the_caller_raises_ends_the_watch(store: Store, room: Room) -> None:
    def break_(_: Arrival) -> None:
        raise BrokenPipeError

    task = asyncio.create_task(watch(room.settings, "#", "first", break_, asyncio.Event(), timing=QUICK))
    await announce(store, EventType.READY)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        with pytest.raises(BrokenPipeError):
            await task


async def test_the_log_is_a_stream(broker: Broker, room: Room) -> None:
    rows = await broker.ctl("list_queues", "name", "type")
    assert f"{log_stream(room.settings.exchange)}\tstream" in rows


@pytest.mark.parametrize(
    ("start", "seconds"),
    [("first", float("inf")), ("last", None), ("90s", 90.0), ("30m", 1800.0), ("1h", 3600.0), ("7d", 604_800.0)],
)
def test_a_start_is_read(start: str, seconds: float | None) -> None:
    assert seconds_ago(start) == seconds


@pytest.mark.parametrize("start", ["", "h", "1", "1w", "-1h", "1.5h", "FIRST", "1h "])
def test_a_start_of_another_form_is_refused_with_the_mend(start: str) -> None:
    with pytest.raises(ValueError, match="as in 90s, 30m, 1h or 7d"):
        seconds_ago(start)
