"""The lane in which pictures are fetched, before their attempts take a submission's slot or the provider's budget."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from generator.submission import Submitter
from jobs import fetching, submit
from jobs.policy import LEASE_SECONDS, STORE_POLL_SECONDS
from process.asyncio_events import linked
from process.workers import Found, Workers
from providers.base import Order, ProviderClient
from store.attempts import AttemptRow
from store.database import Store
from store.lease_renewal import renewal
from store.transaction import Signal
from store.videos import VideoRow

AT_ONCE = 12
"""Pictures for one provider that are being fetched, or wait in memory for the provider's budget."""


@dataclass(slots=True, eq=False)
class _Fetched:
    attempt: AttemptRow
    order: Order
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Fetching:
    """Fetches the pictures of one provider's attempts, and keeps their leases until they are submitted."""

    def __init__(self, store: Store, client: ProviderClient, submitter: Submitter, stop: asyncio.Event) -> None:
        self._store = store
        self._client = client
        self._submitter = submitter
        self._stop = stop
        self._urls: dict[str, str] = {}
        self._fetched: dict[str, _Fetched] = {}
        self._claimed: dict[str, _Fetched] = {}

    def waiting(self) -> list[AttemptRow]:
        """List the attempts whose pictures are there, as they were claimed."""
        return [fetched.attempt for fetched in self._fetched.values()]

    def drop(self, attempt_ids: Collection[str]) -> None:
        """Forget pictures whose attempts another process has taken over."""
        for fetched in [self._fetched.pop(attempt_id) for attempt_id in attempt_ids if attempt_id in self._fetched]:
            fetched.over.set()

    def claimed(self, attempt_ids: Collection[str]) -> None:
        """Note that pictures' attempts were claimed for submitting: they wait no more, though nobody has begun yet."""
        for attempt_id in self._fetched.keys() & set(attempt_ids):
            self._claimed[attempt_id] = self._fetched.pop(attempt_id)

    async def submit(self, attempt: AttemptRow, video: VideoRow) -> bool:
        """Submit an attempt, with its picture if that was fetched; say whether the provider took it."""
        fetched = self._claimed.pop(attempt.id, None)
        try:
            return await self._submitter.submit(self._client, attempt, video, fetched.order if fetched else None)
        finally:
            if fetched is not None:
                fetched.over.set()

    def workers(self) -> Workers[tuple[AttemptRow, VideoRow]]:
        """Give the loop that fetches."""
        return Workers(
            limit=AT_ONCE,
            look_every=STORE_POLL_SECONDS,
            wake=self._store.listen(Signal.SUBMISSIONS),
            claim=self._claim,
            handle=self._handle,
            renew=renewal(self._store, owner=self._submitter.owner, seconds=LEASE_SECONDS),
        )

    async def _claim(self, room: int) -> Found[tuple[AttemptRow, VideoRow]]:
        found = await self._store.write_unsynced(
            fetching.claim,
            self._client.name,
            owner=self._submitter.owner,
            room=room,
            in_hand=list(self._urls.values()),
            now=self._store.now(),
        )
        self._urls.update({attempt.id: video.image_url or "" for attempt, video in found.work})
        return Found({attempt.id: (attempt, video) for attempt, video in found.work}, found.again_at)

    async def _handle(self, work: tuple[AttemptRow, VideoRow]) -> bool:
        attempt, video = work
        try:
            order = await self._submitter.prepare(self._client, attempt, video)
        finally:
            del self._urls[attempt.id]
        if order is not None:
            await self._hand_over(_Fetched(attempt, order))
        # The host has room for another of its pictures.
        return True

    async def _hand_over(self, fetched: _Fetched) -> None:
        self._fetched[fetched.attempt.id] = fetched
        self._store.notify(Signal.SUBMISSIONS)
        try:
            async with linked(fetched.over, by=(self._stop,)):
                await fetched.over.wait()
        finally:
            # When stopping: nobody submits it here any more.
            left = [lane.pop(fetched.attempt.id, None) for lane in (self._fetched, self._claimed)]
            if fetched in left:
                await self._store.write(
                    submit.release, fetched.attempt.id, owner=self._submitter.owner, now=self._store.now()
                )
