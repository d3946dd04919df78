"""One video, one service, one death: what a test of a single crash needs."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from process.failpoints import EXIT_STATUS
from tests.chaos.driver import prompt
from tests.support.broker import Broker, subscribe
from tests.support.gallery import numbered_picture
from tests.support.service import Command, Sandbox, Service
from tests.support.subscriber import TERMINAL, Subscriber
from tests.support.waiting import GIVE_UP_SECONDS, eventually

SETTINGS = {
    "REELBUS_IACREA_WEBHOOK_GRACE": "1",
    "REELBUS_SUBMIT_CONFIRM_WAIT": "3",
    "REELBUS_SUBMIT_ATTEMPTS": "3",
    "REELBUS_PROVE_RESULTS": "true",
}

SUBMITTING = {"routed", "claimed", "intent written", "answer read", "acceptance recorded"}
UPLOADED = "picture stored"
"""Where only a video whose picture is uploaded comes."""


@dataclass
class CrashScenario:
    """A service of its own beside stand-ins that others may use too."""

    service: Service
    sandbox: Sandbox
    broker: Broker
    exchange: str
    subscriber: Subscriber
    stop: asyncio.Event
    listening: asyncio.Task[None] | None = None

    async def start(self, *roles: str, **env: str) -> list[Command]:
        """Start roles, `run` by default, and wait until events can be published."""
        started = await self.service.start(*roles, **env)

        async def ready() -> bool:
            with suppress(httpx.TransportError):
                return (await self.service.http.get("/readyz")).is_success
            return not started[0].running

        if {"run", "publisher"} & set(roles or ("run",)):
            await eventually(ready, what="readiness")
        return started

    async def subscribe(self) -> None:
        """Have a durable queue from now on."""
        self.subscriber.queue = (await subscribe(self.broker, self.exchange)).queue
        self.listening = asyncio.create_task(self.subscriber.listen(self.stop))

    async def ask(self, number: int, provider: str, gallery: str | None = None) -> str:
        """Ask for a video until that is answered, and give its id; the picture is uploaded unless a gallery has it."""
        fields = {"motion": "zoom_in", "provider": provider, "prompt": prompt(number)}
        headers = {"Idempotency-Key": str(number)}
        http = self.service.http

        async def answered() -> str | None:
            with suppress(httpx.TransportError):
                if gallery:
                    document = {**fields, "image_url": f"{gallery}/{number}.png"}
                    answer = await http.post("/v1/videos", json=document, headers=headers)
                else:
                    files = {"image": ("p.png", numbered_picture(number), "image/png")}
                    answer = await http.post("/v1/videos", data=fields, files=files, headers=headers)
                if answer.is_success:
                    return str(answer.json()["id"])
            return None

        return str(await eventually(answered, what="an answer to the request"))

    async def hold_webhooks(self, *, held: bool) -> None:
        """Keep this service's webhooks, or send what was kept."""
        await self.sandbox.hold_webhooks(self.service.url, held=held)

    async def in_state(self, video_id: str, state: str) -> None:
        """Wait until a video's newest attempt is in a state of the store, such as `claimed`."""
        path = self.service.folder / "reelbus.db"

        async def reached() -> bool:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
                sql = "SELECT state FROM attempts WHERE video_id = ? ORDER BY number DESC LIMIT 1"
                return bool(store.execute(sql, (video_id,)).fetchone() == (state,))

        await eventually(reached, what=f"the state {state} of video {video_id}")

    async def ended(self, video_id: str, within: float = GIVE_UP_SECONDS) -> Any:
        """Wait until the end of a video was delivered, and read it."""
        await eventually(lambda: video_id in self.subscriber.ended, within=within)
        return await self.service.video(video_id)

    async def told(self, video_id: str, *kinds: str) -> None:
        """Wait until a video's events of these types were delivered."""
        await eventually(lambda: set(self.kinds(video_id)) >= set(kinds))

    def kinds(self, video_id: str) -> list[str]:
        """List the types of a video's events, each event once, in their order."""
        return [each["type"] for each in self.subscriber.documents.values() if each["subject"] == video_id]

    def terminals(self, video_id: str) -> int:
        """Count a video's terminal events."""
        return sum(kind in TERMINAL for kind in self.kinds(video_id))

    async def paid(self, number: int) -> int:
        """Count how often the stand-ins were paid for a job."""
        return len([each for each in await self.records(number) if each["accepted"]])

    async def records(self, number: int) -> list[Any]:
        """Read what the stand-ins saw of a job."""
        digest = sha256(numbered_picture(number)).hexdigest()
        records = (await self.sandbox.records())["records"]
        return [each for each in records if prompt(number) == each["prompt"] or digest == each["picture_sha256"]]


@dataclass(frozen=True)
class Death:
    """A place at which a service dies, and what is true then: how the video ends, and how often it is paid for."""

    place: str
    provider: str
    end: str
    paid: int

    async def come_back(
        self, on: CrashScenario, number: int, pictures: str, *, lost: Callable[[], None] | None = None, **env: str
    ) -> str:
        """Let a service die at the place, lose what is `lost`, and start again. Gives the id of its video."""
        [victim] = await on.start(REELBUS_TEST_CRASH=f"{self.place}:1", **env)
        await on.subscribe()
        if self.place in SUBMITTING:  # a webhook is sent once, and here it must come when the service is up again
            await on.hold_webhooks(held=True)
        asking = asyncio.create_task(on.ask(number, self.provider, None if self.place == UPLOADED else pictures))
        await died(victim)
        if lost is not None:
            lost()
        await on.start()
        await on.hold_webhooks(held=False)
        return await asking

    async def wrong(self, on: CrashScenario, number: int, video_id: str) -> str | None:
        """Wait for the video's end; say what is wrong with it, if anything."""
        video = await on.ended(video_id)
        await asyncio.sleep(0.5)
        found = (video["error"] or {"code": video["status"]})["code"], await on.paid(number), on.terminals(video_id)
        expected = (self.end, self.paid, 1)
        if found == expected and await adds_up(on, self.provider, video["attempts"]):
            return None
        return f"{self.place}, {self.provider}: expected {expected}, got {found}: {video['attempts']}"


async def adds_up(on: CrashScenario, provider: str, attempts: list[dict[str, object]]) -> bool:
    """Say whether the ledger and the refunds tell of the attempts what is true of them."""
    shown = (await on.service.http.get("/v1/credits")).json()[provider]
    known = sum(attempt["provider_job_id"] is not None for attempt in attempts)
    unknown = {"status": "unknown", "credits": None}
    failed = [attempt["refund"] for attempt in attempts if attempt["status"] == "failed"]
    return bool(shown["spent"] == known and all(refund == unknown for refund in failed))


async def died(command: Command) -> None:
    """Wait until a process has died where it was told to."""
    status, _, log = await command.finish()
    assert status == EXIT_STATUS, f"left with {status} instead:\n{log[-2000:]}"


@asynccontextmanager
async def stage(folder: Path, sandbox: Sandbox, broker: Broker, env: Mapping[str, str]) -> AsyncIterator[CrashScenario]:
    """Set a stage in a folder; nothing runs on it yet."""
    exchange = broker.settings().exchange
    settings = {"REELBUS_AMQP_URL": broker.url, "REELBUS_EXCHANGE": exchange, **sandbox.env, **SETTINGS, **env}
    service = Service(folder, settings)
    set_up = CrashScenario(
        service, sandbox, broker, exchange, Subscriber(settings["REELBUS_AMQP_URL"], ""), asyncio.Event()
    )
    try:
        yield set_up
    finally:
        set_up.stop.set()
        if set_up.listening is not None:
            await set_up.listening
        await service.close()
