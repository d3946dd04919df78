"""A real receiver on loopback over a real store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from intake.context import Context, Limits
from jobs import events
from process.settings import Settings
from process.tokens import Signer
from receiver import run
from schemas.names import EventType, VideoStatus
from store import videos
from store.database import Store
from store.transaction import Tx
from tests.support.ports import free_port

PROVIDERS = {"iacrea_api_key": "key", "iacrea_user_id": "user", "homedesigns_token": "token"}
URL_REQUEST = {"image_url": "https://example.com/house.jpg", "motion": "zoom_in"}


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that serves; `http` is a client of it, with a key where there are keys."""

    context: Context
    http: httpx.AsyncClient
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def port(self) -> int:
        return self.context.settings.port

    @property
    def store(self) -> Store:
        return self.context.store

    async def make(self, **fields: object) -> str:
        answer = await self.http.post("/v1/videos", json={**URL_REQUEST, **fields})
        assert answer.status_code == 202, answer.text
        video_id: str = answer.json()["id"]
        return video_id

    async def finish(self, video_id: str) -> None:
        """Let a video be ready, as if a provider had made it."""
        await self.store.write(_finish, video_id)


def _finish(tx: Tx, video_id: str) -> None:
    videos.ask_finish(tx, video_id, VideoStatus.READY, error=None, now=1_800_000_000.0)()
    events.announce(tx, video_id, EventType.READY, attempt=1, now=1_800_000_000.0)


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    limits: Limits | None = None,
    broker: Any = None,
    chosen: Settings | None = None,
    **settings: object,
) -> AsyncIterator[Receiver]:
    chosen = chosen or Settings.model_validate(
        {"port": free_port(), "database_url": f"sqlite:///{folder}/reelbus.db", **PROVIDERS, **settings}
    )
    store = await Store.open(chosen.database_url)
    context = Context(chosen, store, Signer(["a secret of the tests"]), broker=broker, limits=limits or Limits())
    stop, started = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(run.run(context, stop, started))
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        keys = [key.secret.get_secret_value() for key in chosen.api_keys if key.secret]
        headers = {"authorization": f"Bearer {keys[0]}"} if keys else {}
        async with httpx.AsyncClient(base_url=chosen.local_url, headers=headers, trust_env=False) as http:
            yield Receiver(context, http, stop)
    finally:
        waiting.cancel()
        stop.set()
        await running
        await context.inspectors.close()
        await store.close()
