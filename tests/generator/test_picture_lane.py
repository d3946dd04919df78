"""Pictures are fetched in a lane of their own: a host that hangs takes no slot, no budget and nobody else's time."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from schemas.names import Provider
from store import attempts, providers
from tests.generator.conftest import OpenWorkshop
from tests.support.pictures import picture
from tests.support.waiting import GIVE_UP_SECONDS

BYTES = picture()


@dataclass
class Hosts:
    """Picture hosts: those named tarpit never answer."""

    asked: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)

    async def __call__(self, url: str) -> bytes:
        host = urlsplit(url).hostname or ""
        self.asked[host] += 1
        self.now[host] += 1
        self.most[host] = max(self.most[host], self.now[host])
        try:
            if host.startswith("tarpit"):
                await asyncio.Event().wait()
            return BYTES
        finally:
            self.now[host] -= 1


async def test_a_tarpit_holds_up_no_other_picture_and_takes_no_budget(workshop: OpenWorkshop) -> None:
    hosts = Hosts()
    async with workshop(hosts) as shop:
        stuck = [await shop.ask(f"https://tarpit.example/{number}.png") for number in range(40)]
        stuck += [await shop.ask(f"https://TARPIT.example:8443/{number}.png") for number in range(10)]
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while hosts.now["tarpit.example"] < 2:
                await asyncio.sleep(0.01)
        good = [await shop.ask(), await shop.ask("https://honest.example/a.png"), await shop.ask()]
        for video_id in good:
            await shop.until(video_id, "generating")
        assert hosts.most["tarpit.example"] == 2
        assert {(await shop.video(video_id)).status for video_id in stuck} == {"submitting"}
        bucket = await shop.store.read(providers.get, Provider("homedesigns"))
        assert bucket is not None
        assert bucket.tokens >= 10 - len(good)
    assert len(shop.provider.orders) == len(good)


async def test_a_picture_that_is_there_waits_for_the_budget_and_is_not_fetched_again(workshop: OpenWorkshop) -> None:
    hosts = Hosts()
    async with workshop(hosts, rates={Provider("homedesigns"): 0.4}) as shop:
        videos = [await shop.ask(f"https://host{number}.example/a.png") for number in range(6)]
        for video_id in videos:
            await shop.until(video_id, "generating")
        assert hosts.asked.total() == len(videos)
        assert [order.image for order in shop.provider.orders] == [BYTES] * len(videos)


async def test_a_picture_that_waits_when_stopping_is_given_back_at_once(workshop: OpenWorkshop) -> None:
    hosts = Hosts()
    async with workshop(hosts, rates={Provider("homedesigns"): 0.1}) as shop:
        first = await shop.ask("https://one.example/a.png")
        await shop.until(first, "generating")
        second = await shop.ask("https://two.example/a.png")
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while not hosts.asked["two.example"]:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        began = time.monotonic()
        shop.stop.set()
        await shop.running
        assert time.monotonic() - began < 8
        found = await shop.store.read(attempts.of_videos, [second])
        assert [attempt.state for attempt in found[second]] == ["waiting"]
    assert len(shop.provider.orders) == 1
