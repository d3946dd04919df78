"""Only who holds the lease sends, by the clock and not by hope; and what is confirmed is marked before more is sent."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from process.clock import steady
from process.settings import Settings
from publisher import lease as leases_room
from publisher.relay import LEASE
from schemas.names import EventType
from store import leases
from store.database import Store, StoreUnavailable
from store.leases import Held
from tests.publisher.announcing import announce, announce_many, unpublished
from tests.publisher.conftest import QUICK, OpenRoom
from tests.support.broker import Broker, Inbox, subscribe
from tests.support.waiting import GIVE_UP_SECONDS, eventually


@dataclass
class Clock:
    """A clock that a test sets."""

    ahead: float = 0.0

    def time(self) -> float:
        return steady() + self.ahead


async def _waiting(broker: Broker, inbox: Inbox) -> int:
    async with broker.channel() as channel:
        queue = await channel.declare_queue(inbox.queue, passive=True)
        return queue.declaration_result.message_count or 0


async def test_a_relay_whose_lease_ran_out_between_two_windows_sends_no_more(
    broker: Broker,
    store: Store,
    settings: Settings,
    open_room: OpenRoom,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clock, refused = Clock(), asyncio.Event()
    found: list[Held] = []
    other = await Store.open(f"sqlite:///{tmp_path}/reelbus.db")
    await (await open_room(settings)).stopped()  # which leaves the topology behind
    inbox = await subscribe(broker, settings.exchange)
    await announce_many(store, 3)
    write: Callable[..., Any] = store.write_unsynced

    async def stepping(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = await write(work, *args, **kwargs)
        if leases.acquire in args:  # with the clocks' reading that it was decided by
            found.append(result[1])
            if found[-1].owner == "another":
                refused.set()
        elif not clock.ahead and args:  # the first window is marked: time passes, and another has its turn
            clock.ahead = 1000.0
            await other.write(leases.acquire, LEASE, owner="another", now=time.time(), seconds=1.0, lapsed=found[-1])
        return result

    monkeypatch.setattr(store, "write_unsynced", stepping)
    monkeypatch.setattr(leases_room, "steady", clock.time)
    room = await open_room(settings, timing=replace(QUICK, window=1, outbox_poll=30.0))
    async with asyncio.timeout(GIVE_UP_SECONDS):
        await refused.wait()
    await room.stopped()

    assert await _waiting(broker, inbox) == 1
    assert await unpublished(store) == 2
    await other.close()


async def test_confirmed_events_are_marked_before_anything_is_sent_again(
    broker: Broker, store: Store, settings: Settings, open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_room(settings)
    inbox = await subscribe(broker, settings.exchange)
    write: Callable[..., Any] = store.write_unsynced
    away = 3

    async def away_for_a_while(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal away
        if leases.acquire not in args and away:
            away -= 1
            raise StoreUnavailable("the disk is full")
        return await write(work, *args, **kwargs)

    monkeypatch.setattr(store, "write_unsynced", away_for_a_while)
    await announce(store, EventType.READY)

    async def marked() -> bool:
        return await unpublished(store) == 0

    await eventually(marked)
    assert away == 0
    assert await _waiting(broker, inbox) == 1


async def test_a_lease_keeper_that_dies_loses_the_link_and_is_begun_anew(
    store: Store, settings: Settings, open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_room(settings)
    write: Callable[..., Any] = store.write_unsynced
    asked = 0

    async def break_once(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal asked
        if leases.acquire in args:
            asked += 1
            if asked == 1:
                raise ZeroDivisionError
        return await write(work, *args, **kwargs)

    monkeypatch.setattr(store, "write_unsynced", break_once)
    await eventually(lambda: asked >= 3)
    await announce(store, EventType.READY)

    async def drained() -> bool:
        return await unpublished(store) == 0

    await eventually(drained)
