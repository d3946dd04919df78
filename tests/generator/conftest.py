"""A generator over a real store, with providers and picture hosts that do what a test says."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import generator.run
import process.workers
from generator.pictures import FetchPicture, Pictures
from jobs import accept, view
from jobs.accept import AcceptedVideo, NewVideo
from jobs.policy import Policy
from process.addresses import Addresses
from process.inspector import Inspectors
from process.tokens import Signer
from providers.base import BeforeFirstByte, Order, ProviderClient
from providers.reports import Accepted, Handle, Report, SubmissionOutcome, Working
from schemas.names import Provider, ProviderChoice
from schemas.picture import Picture
from schemas.video import Video
from store.database import Store
from tests.support.job_scenario import REQUEST
from tests.support.pictures import picture
from tests.support.stores import url_of
from tests.support.waiting import GIVE_UP_SECONDS

PICTURE = picture()


@dataclass
class Taker(ProviderClient):
    """A provider that takes every picture, unless `answer` says otherwise."""

    name: Provider = Provider("homedesigns")
    wants_bytes: bool = True
    answer: Callable[[Order, BeforeFirstByte], Awaitable[SubmissionOutcome]] | None = None
    orders: list[Order] = field(default_factory=list)

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        self.orders.append(order)
        number = len(self.orders)
        if self.answer is not None:
            return await self.answer(order, before_first_byte)
        await before_first_byte()
        return Accepted(f"job-{number}")

    async def check(self, job: Handle) -> Report:
        del job
        return Working()

    async def verify(self) -> str:
        return "fine"

    async def close(self) -> None:
        return


class Inspected(Inspectors):
    """Finds every picture sound, without a child process."""

    async def inspect(self, data: bytes) -> Picture:
        del data
        return Picture("image/png", 512, 512)


@dataclass
class Workshop:
    """A generator at work."""

    store: Store
    provider: Taker
    stop: asyncio.Event
    running: asyncio.Task[None]

    async def ask(self, url: str | None = None, **more: Any) -> str:
        """Ask for a video of a picture at an address, or of an uploaded one."""
        uploaded = None if url else await self.store.pictures.keep("image/png", PICTURE)
        request: NewVideo = replace(
            REQUEST, choice=ProviderChoice("homedesigns"), image_url=url, picture=uploaded, **more
        )
        answer = await self.store.write(accept.accept, request, lambda video: f"https://us/{video}", now=time.time())
        assert isinstance(answer, AcceptedVideo)
        return answer.video.id

    async def video(self, video_id: str) -> Video:
        found = await self.store.read(view.video, video_id)
        assert found is not None
        return found

    async def until(self, video_id: str, *statuses: str, within: float = GIVE_UP_SECONDS) -> Video:
        """Wait until a video has one of these states."""
        async with asyncio.timeout(within):
            while (video := await self.video(video_id)).status not in statuses:
                await asyncio.sleep(0.01)
        return video


OpenWorkshop = Callable[..., Any]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenWorkshop:
    """Open workshops: a store, a provider, and a function that fetches pictures."""
    # What hangs is cancelled soon.
    monkeypatch.setattr(process.workers, "FINISH_SECONDS", 0.5)

    @asynccontextmanager
    async def opened(fetch: FetchPicture, provider: Taker | None = None, **rules: Any) -> AsyncIterator[Workshop]:
        taker, stop = provider or Taker(), asyncio.Event()
        policy = replace(Policy(providers=(Provider("homedesigns"),)), **rules)
        store = await Store.open(url_of(tmp_path / "reelbus.db"))
        addresses = Addresses("https://us.example", Signer(["a secret of sixteen"]), media_ttl=60)
        pictures = Pictures(store, addresses, fetch, Inspected())
        running = asyncio.create_task(generator.run.run(store, policy, {taker.name: taker}, pictures, stop))
        try:
            yield Workshop(store, taker, stop, running)
        finally:
            stop.set()
            await running
            await store.close()

    return opened
