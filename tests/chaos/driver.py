"""A client that repeats every request, under its idempotency key, until it is answered."""

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.support.gallery import numbered_picture

PROVIDERS = ("iacrea", "homedesigns", "auto", "fal", "kling", "replicate", "runway")
AT_ONCE = 12


def prompt(number: int) -> str:
    """Say in words which job it is, for the provider that is shown no picture's bytes."""
    return f"house number {number}"


@dataclass
class WantedVideo:
    """One video that the client wants, and what it was answered."""

    number: int
    provider: str
    upload: bool
    twin: bool
    """Whether the request is made twice at the same time."""
    slow: bool = False
    """Whether its picture is on the host that sometimes answers nobody."""
    asked_at: float = field(default_factory=time.time)
    video_id: str | None = None
    accepted_at: float = 0.0
    refusals: int = 0
    """How often it was told to come again, or was not answered at all."""


@dataclass
class Driver:
    """Asks for videos at a steady rate, for at least as long as faults are made."""

    receivers: Callable[[], list[str]]
    gallery: str
    slow_gallery: str
    seed: int
    jobs: list[WantedVideo] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Answers that nobody should have got."""

    @staticmethod
    def digest(job: WantedVideo) -> str:
        """Tell a job's picture from all others by its SHA-256."""
        return hashlib.sha256(numbered_picture(job.number)).hexdigest()

    async def run(
        self, count: int, rate: float, enough: asyncio.Event, *, busy: Callable[[], bool] = lambda: False
    ) -> None:
        """Ask for `count` videos at `rate` a second, faster once `enough` is set, and for more until it is.

        While the service is `busy` with too many nothing more is asked for.
        """
        room = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=2 * AT_ONCE)
        async with httpx.AsyncClient(timeout=10, limits=limits) as http, asyncio.TaskGroup() as tasks:
            while len(self.jobs) < count or not enough.is_set():
                await room.acquire()
                while busy():
                    await asyncio.sleep(1 / rate)
                job = self.more()
                asking = tasks.create_task(self._ask(http, job))
                asking.add_done_callback(lambda _: room.release())
                with suppress(TimeoutError):
                    await asyncio.wait_for(enough.wait(), 1 / rate)

    async def ask(self, count: int) -> None:
        """Ask for some videos at once, until each is answered."""
        await self.ask_for([self.more() for _ in range(count)])

    def more(self, **fields: Any) -> WantedVideo:
        """Add a job that nobody has asked for yet, some of it given."""
        job = replace(self._next(len(self.jobs)), **fields)
        self.jobs.append(job)
        return job

    async def ask_for(self, jobs: Sequence[WantedVideo]) -> None:
        """Ask for these videos at once, until each is answered."""
        async with httpx.AsyncClient(timeout=10) as http:
            await asyncio.gather(*(self._ask(http, job) for job in jobs))

    def _next(self, number: int) -> WantedVideo:
        chance = random.Random(f"{self.seed}/{number}")
        return WantedVideo(number, chance.choice(PROVIDERS), upload=chance.random() < 0.5, twin=chance.random() < 0.05)

    async def _ask(self, http: httpx.AsyncClient, job: WantedVideo) -> None:
        await asyncio.gather(*(self._until_answered(http, job) for _ in range(2 if job.twin else 1)))

    async def _until_answered(self, http: httpx.AsyncClient, job: WantedVideo) -> None:
        chance = random.Random(f"{self.seed}/{job.number}/receivers")
        while True:
            answer = None
            with suppress(httpx.TransportError):
                answer = await self._post(http, chance.choice(self.receivers()), job)
            if answer is not None and answer.is_success:
                self._note(job, answer)
                return
            if answer is not None and answer.status_code not in {429, 503} and not _switched_off(answer):
                self.wrong.append(f"request {job.number} was answered {answer.status_code}: {answer.text[:200]}")
            job.refusals += 1
            await asyncio.sleep(chance.uniform(0.1, 0.5))

    async def _post(self, http: httpx.AsyncClient, receiver: str, job: WantedVideo) -> httpx.Response:
        address, key = f"{receiver}/v1/videos", {"Idempotency-Key": f"{self.seed}-{job.number}"}
        if job.upload:
            fields = self.document(job)
            del fields["image_url"]
            form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
            files = {"image": ("p.png", numbered_picture(job.number), "image/png")}
            return await http.post(address, data=form, files=files, headers=key)
        return await http.post(address, json=self.document(job), headers=key)

    def document(self, job: WantedVideo) -> dict[str, object]:
        """Give the request for a job's video, its picture by address."""
        return {
            "motion": "zoom_in",
            "provider": job.provider,
            "prompt": prompt(job.number),
            "metadata": {"job": str(job.number)},
            "image_url": f"{self.slow_gallery if job.slow else self.gallery}/{job.number}.png",
        }

    def _note(self, job: WantedVideo, answer: httpx.Response) -> None:
        video = answer.json()
        if job.video_id not in {None, video["id"]}:
            self.wrong.append(f"request {job.number} made two videos: {job.video_id} and {video['id']}")
        if video["metadata"] != {"job": str(job.number)}:
            self.wrong.append(f"request {job.number} was answered with the video of another: {video['metadata']}")
        if job.video_id is None:
            job.video_id, job.accepted_at = video["id"], time.time()


def _switched_off(answer: httpx.Response) -> bool:
    """Say whether a request was refused because its provider is switched off; it may be on again later."""
    return answer.status_code == 422 and answer.json().get("code") == "provider_disabled"
