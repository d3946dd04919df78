"""The broker answers for every event of a window by itself: it takes, returns or refuses it, or is silent."""

import asyncio
import json
import secrets
import time
from urllib.parse import urlsplit
from uuid import uuid4

import aio_pika
import pytest
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import SecretStr

from process.settings import Settings
from process.standard_webhooks import new_secret, signature_headers
from publisher.signing import signing
from publisher.window import FAST, REFUSED, UNROUTABLE, Outcome, send
from schemas.names import EventType
from store.outbox import OutboxEvent
from tests.support.broker import Broker, subscribe
from tests.support.tcp_relay import relay


@pytest.fixture(params=[True, False], ids=["the fast way", "the public way"])
def fast(request: pytest.FixtureRequest) -> bool:
    """Publish in both of the ways that there are."""
    return bool(request.param)


def _event(routing_key: str) -> OutboxEvent:
    return OutboxEvent(1, str(uuid4()), str(uuid4()), EventType.READY, routing_key, '{"a": "ö"}', time.time())


async def _exchange(channel: AbstractChannel) -> str:
    exchange = f"test.{secrets.token_hex(6)}"
    await channel.declare_exchange(exchange, ExchangeType.TOPIC, auto_delete=True)
    return exchange


async def _published(channel: AbstractChannel, exchange: str, events: list[OutboxEvent], *, fast: bool) -> Outcome:
    return await (await send(channel, exchange, events, silence=10, fast=fast)).wait()


def test_the_fast_way_is_known_to_fit_the_pinned_library() -> None:
    assert FAST is True


async def test_taken_returned_and_refused_events_are_told_apart(broker: Broker, *, fast: bool) -> None:
    async with broker.channel() as channel:
        exchange = await _exchange(channel)
        inbox = await subscribe(broker, exchange, "video.ready.*")
        full = await channel.declare_queue(
            exclusive=True,
            arguments={"x-queue-type": "classic", "x-max-length": 1, "x-overflow": "reject-publish"},
        )
        await full.bind(exchange, "video.failed.*")
        taken = [_event("video.ready.iacrea") for _ in range(50)]
        returned = [_event("video.late.iacrea") for _ in range(50)]
        filling, refused = _event("video.failed.iacrea"), [_event("video.failed.iacrea") for _ in range(10)]
        mixed = [event for pair in zip(taken, returned, strict=True) for event in pair]

        assert (await _published(channel, exchange, [filling], fast=fast)).confirmed == [filling]
        outcome = await _published(channel, exchange, [*mixed, *refused], fast=fast)

        assert outcome.lost is None
        assert {event.event_id for event in outcome.confirmed} == {event.event_id for event in taken}
        assert {(event.event_id, why) for event, why in outcome.refused} == {
            *((event.event_id, UNROUTABLE) for event in returned),
            *((event.event_id, REFUSED) for event in refused),
        }
        await inbox.take(50)


async def test_a_channel_serves_window_after_window(broker: Broker, *, fast: bool) -> None:
    async with broker.channel() as channel:
        exchange = await _exchange(channel)
        await subscribe(broker, exchange, "video.ready.*")
        event = _event("video.ready.iacrea")
        for size in (1, 300, 1, 2):
            window = [event, *(_event("video.ready.iacrea") for _ in range(size - 1))]
            outcome = await _published(channel, exchange, window, fast=fast)
            assert len(outcome.confirmed) == size
            assert outcome.lost is None


async def test_a_missing_exchange_is_a_doubt(broker: Broker, *, fast: bool) -> None:
    async with broker.channel() as channel:
        outcome = await _published(channel, "no.such.exchange", [_event("video.ready.iacrea")], fast=fast)

    assert (outcome.confirmed, outcome.refused) == ([], [])
    assert isinstance(outcome.lost, ChannelNotFoundEntity)


async def test_silence_is_a_doubt_when_the_time_is_up(broker: Broker, *, fast: bool) -> None:
    async with broker.channel() as channel:
        exchange = await _exchange(channel)
        inbox = await subscribe(broker, exchange)
        events = [_event("video.ready.iacrea") for _ in range(20)]
        async with broker.frozen():
            started = time.monotonic()
            outcome = await (await send(channel, exchange, events, silence=0.3, fast=fast)).wait()
            assert time.monotonic() - started < 10

    assert (outcome.confirmed, outcome.refused) == ([], [])
    assert isinstance(outcome.lost, TimeoutError)
    await inbox.take(20)  # in doubt, but not lost: this is why ids must not change


async def test_a_slow_line_has_all_the_time_it_needs_while_answers_come(broker: Broker, *, fast: bool) -> None:
    port, silence = urlsplit(broker.url).port or 0, 2.0
    async with relay(port) as line:
        connection = await aio_pika.connect(f"amqp://guest:guest@127.0.0.1:{line.port}/")
        try:
            channel = await connection.channel(on_return_raises=True)
            exchange = await _exchange(channel)
            inbox = await subscribe(broker, exchange)
            line.delay = 0.1  # a piece of at most 64 kB
            large = json.dumps({"a": "x" * 60_000})
            events = [_event("video.ready.iacrea")._replace(body=large) for _ in range(40)]
            began = time.monotonic()
            outcome = await (await send(channel, exchange, events, silence=silence, fast=fast)).wait()
            assert time.monotonic() - began > silence
            line.delay = 0.0
        finally:
            await connection.close()
    assert (len(outcome.confirmed), outcome.lost) == (40, None)
    await inbox.take(40)


async def test_a_connection_that_breaks_is_a_doubt_about_what_was_unanswered(broker: Broker, *, fast: bool) -> None:
    async with broker.channel() as channel:
        exchange = await _exchange(channel)
        async with broker.frozen():
            sent = await send(channel, exchange, [_event("video.ready.iacrea")], silence=10, fast=fast)
            settling = asyncio.create_task(sent.wait())
            await asyncio.to_thread(broker.node.kill)
            outcome = await settling

    assert outcome.confirmed == []
    assert outcome.lost is not None


async def test_an_event_names_its_trace_in_a_header_and_others_name_none(broker: Broker, *, fast: bool) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with broker.channel() as channel:
        exchange = await _exchange(channel)
        inbox = await subscribe(broker, exchange, "video.ready.*")
        events = [_event("video.ready.iacrea")._replace(traceparent=trace), _event("video.ready.iacrea")]
        assert len((await _published(channel, exchange, events, fast=fast)).confirmed) == 2
        messages = {message.message_id: message for message in await inbox.take(2)}
    assert [messages[event.event_id].headers.get("traceparent") for event in events] == [trace, None]
    assert messages[events[0].event_id].headers["cloudEvents_id"] == events[0].event_id


async def test_each_event_is_signed_over_the_bytes_of_its_body(broker: Broker, *, fast: bool) -> None:
    pair = (new_secret(), new_secret())
    sign = signing(Settings(event_signing_secret=tuple(map(SecretStr, pair))))
    async with broker.channel() as channel:
        exchange = await _exchange(channel)
        inbox = await subscribe(broker, exchange, "video.ready.*")
        event = _event("video.ready.iacrea")
        outcome = await (await send(channel, exchange, [event], silence=10, sign=sign, fast=fast)).wait()
        assert outcome.confirmed == [event]
        [message] = await inbox.take(1)
    timestamp = int(str(message.headers["webhook-timestamp"]))
    expected = signature_headers(*pair, message_id=event.event_id, timestamp=timestamp, body=message.body)
    assert {name: message.headers[name] for name in expected} == expected
    assert abs(time.time() - timestamp) < 60
