"""A loop of workers claims what there is room for, and looks again as soon as there may be more, and no sooner."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from process.workers import GATHER_SECONDS, LONGEST_GATHER_SECONDS, Found, Workers
from tests.support.waiting import GIVE_UP_SECONDS, eventually


@dataclass
class Pile:
    """Pieces of work, who is at which, and every look that was taken."""

    waiting: list[str]
    again: bool = False
    """Whether a piece that was handled may be due again soon."""
    looks: list[int] = field(default_factory=list)
    in_hand: dict[str, asyncio.Event] = field(default_factory=dict)
    looked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def claim(self, room: int) -> Found[str]:
        """Give as many as there is room for."""
        taken, self.waiting = self.waiting[:room], self.waiting[room:]
        self.looks.append(len(taken))
        async with self.looked:
            self.looked.notify_all()
        return Found({piece: piece for piece in taken}, None)

    async def handle(self, piece: str) -> bool:
        """Work until told to finish."""
        done = self.in_hand[piece] = asyncio.Event()
        await done.wait()
        del self.in_hand[piece]
        return self.again

    async def renew(self, pieces: Collection[str]) -> None:
        """Do nothing: no lease is kept here."""

    async def after(self, looks: int) -> None:
        """Wait until so many looks were taken."""
        async with self.looked:
            await asyncio.wait_for(self.looked.wait_for(lambda: len(self.looks) >= looks), GIVE_UP_SECONDS)


@asynccontextmanager
async def at_work(pile: Pile, *, limit: int) -> AsyncIterator[asyncio.Event]:
    """Have workers at a pile; give the event that wakes them."""
    wake, stop = asyncio.Event(), asyncio.Event()
    # Nobody looks merely because time has passed.
    workers = Workers(limit=limit, look_every=1000, wake=wake, claim=pile.claim, handle=pile.handle, renew=pile.renew)
    running = asyncio.create_task(workers.run(stop))
    await pile.after(1)
    yield wake
    stop.set()
    while not running.done():
        for done in list(pile.in_hand.values()):
            done.set()
        await asyncio.sleep(0)
    await running


async def finish(pile: Pile, piece: str) -> None:
    """Finish a piece."""
    while piece not in pile.in_hand:
        await asyncio.sleep(0)
    pile.in_hand[piece].set()


async def test_what_finishes_makes_room_for_what_waits() -> None:
    pile = Pile(["one", "two", "three"])
    async with at_work(pile, limit=2):
        assert pile.looks == [2]
        await finish(pile, "one")
        await pile.after(2)
        assert pile.looks == [2, 1]


async def test_who_had_room_left_knows_that_there_is_no_more() -> None:
    pile = Pile(["one"])
    async with at_work(pile, limit=2) as wake:
        await finish(pile, "one")
        while pile.in_hand:
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        assert pile.looks == [1]
        pile.waiting.append("two")
        wake.set()
        await pile.after(2)
        assert pile.looks == [1, 1]


async def test_work_that_may_be_due_again_is_looked_for_at_once() -> None:
    pile = Pile(["one"], again=True)
    async with at_work(pile, limit=2):
        await finish(pile, "one")
        await pile.after(2)


async def test_work_that_failed_unexpectedly_may_be_due_again() -> None:
    pile = Pile(["one"])

    async def fail(piece: str) -> bool:
        raise ZeroDivisionError(piece)

    pile.handle = fail  # type: ignore[method-assign]
    async with at_work(pile, limit=2):
        await pile.after(2)


async def test_leases_that_are_late_are_renewed_before_more_is_claimed() -> None:
    done: list[str] = []
    pile = Pile(["one"])

    async def claim(room: int) -> Found[str]:
        done.append("claim")
        return await pile.claim(room)

    async def renew(pieces: Collection[str]) -> None:
        done.append(f"renew {' '.join(pieces)}")

    wake, stop = asyncio.Event(), asyncio.Event()
    workers = Workers(limit=2, look_every=1000, wake=wake, claim=claim, handle=pile.handle, renew=renew)
    running = asyncio.create_task(workers.run(stop))
    await pile.after(1)
    while "one" not in pile.in_hand:
        await asyncio.sleep(0)
    workers._renewed_at -= 60  # the store was away for a minute
    wake.set()
    await pile.after(2)
    assert done == ["claim", "renew one", "claim"]
    stop.set()
    pile.in_hand["one"].set()
    await running


async def test_work_that_is_claimed_again_while_it_is_in_hand_is_not_begun_twice() -> None:
    pile = Pile(["one"])
    async with at_work(pile, limit=3) as wake:
        await eventually(lambda: "one" in pile.in_hand)
        first = pile.in_hand["one"]
        pile.waiting = ["one", "two"]
        wake.set()
        await eventually(lambda: "two" in pile.in_hand)
        assert pile.in_hand["one"] is first


async def test_what_becomes_due_one_by_one_while_work_is_in_hand_is_claimed_together() -> None:
    pile = Pile(["first"])
    async with at_work(pile, limit=1000) as wake:
        while not pile.in_hand:
            await asyncio.sleep(0)
        began = time.monotonic()
        for number in range(300):
            pile.waiting.append(f"{number}")
            wake.set()
            await asyncio.sleep(0.0005)
        took = time.monotonic() - began
        await eventually(lambda: sum(pile.looks) == 301)
        assert len(pile.looks) <= took / GATHER_SECONDS + 3


async def test_who_is_woken_in_vain_again_and_again_looks_seldom_until_there_is_work() -> None:
    pile = Pile([])
    async with at_work(pile, limit=1000) as wake:
        began = time.monotonic()
        for _ in range(300):
            wake.set()
            await asyncio.sleep(0.001)
        took = time.monotonic() - began
        in_vain = len(pile.looks)
        assert 2 <= in_vain <= took / LONGEST_GATHER_SECONDS + 6
        pile.waiting.append("one")
        wake.set()
        await pile.after(in_vain + 1)
        pile.waiting.append("two")
        wake.set()
        await pile.after(in_vain + 2)
        assert pile.looks[in_vain:] == [1, 1]


async def test_what_becomes_due_while_nothing_is_in_hand_is_claimed_at_once() -> None:
    pile = Pile([])
    async with at_work(pile, limit=2) as wake:
        began = asyncio.get_running_loop().time()
        pile.waiting.append("one")
        wake.set()
        for _ in range(20):
            await asyncio.sleep(0)
            if pile.in_hand:
                break
        assert pile.looks == [0, 1], f"it took {asyncio.get_running_loop().time() - began} s"
