"""Run the generator: choose providers for accepted videos and submit them, as far as each budget goes."""

import asyncio
import math
import time
from collections.abc import Mapping
from uuid import uuid4

import structlog

from generator.fetching import Fetching
from generator.log_lines import log_probe
from generator.pictures import Pictures
from generator.submission import Submitter
from jobs import assignment, outage, submission_claims
from jobs import clock as clock_rules
from jobs.announced import ANNOUNCE_SECONDS
from jobs.policy import LEASE_SECONDS, STORE_POLL_SECONDS, Policy
from jobs.sightings import Sightings
from process.asyncio_events import linked
from process.clock import watch_of
from process.failpoints import failpoint
from process.repeating import repeat
from process.workers import Found, Workers
from providers.base import ProviderClient
from providers.http.seen import WatchAnswers, watch_nothing
from schemas.names import Provider
from store import open_attempts
from store.announcements import Role, announce
from store.attempts import AttemptRow
from store.database import Store, StoreUnavailable
from store.lease_renewal import renewal
from store.transaction import Signal
from store.videos import VideoRow

IN_FLIGHT = 8
"""Submissions to one provider at once; few, because each one is of unknown outcome if this process dies."""

log = structlog.get_logger(__name__)


async def run(
    store: Store,
    policy: Policy,
    clients: Mapping[Provider, ProviderClient],
    pictures: Pictures,
    stop: asyncio.Event,
    answered: WatchAnswers = watch_nothing,
) -> None:
    """Submit until told to stop, then finish what is in hand. Any number of generators may run at once.

    `answered` is told what each submission was answered.
    """
    owner = f"generator-{uuid4().hex}"
    clock = watch_of(store, clock_rules.mend)
    submitter = Submitter(store, policy, pictures, owner, clock, answered)

    async def announcing() -> int:
        await store.write_unsynced(announce, Role.GENERATOR, policy.providers, now=store.now())
        return 0

    places: outage.Places = {}

    async def sorting_out() -> int:
        if await store.read(outage.shut, policy, now=store.now()):
            await clock.decide(store.write, outage.sort_out, policy, places)
        return 0

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_route(store, policy, stop))
        tasks.create_task(repeat(announcing, stop, every=ANNOUNCE_SECONDS, expected=(StoreUnavailable,)))
        tasks.create_task(repeat(sorting_out, stop, every=STORE_POLL_SECONDS, expected=(StoreUnavailable,)))
        for client in clients.values():
            fetching = Fetching(store, client, submitter, stop) if client.wants_bytes else None
            tasks.create_task(_workers(store, policy, client, submitter, fetching).run(stop))
            if fetching is not None:
                tasks.create_task(fetching.workers().run(stop))


async def _route(store: Store, policy: Policy, stop: asyncio.Event) -> None:
    async def route() -> bool:
        store.notify(Signal.SUBMISSIONS)
        routed = await store.write_unsynced(assignment.route, policy, now=store.now())
        if routed:
            await failpoint("routed")
        return routed == assignment.ROUTED_AT_ONCE

    wake = store.listen(Signal.ACCEPTED)
    async with linked(wake, by=(stop,)):
        await repeat(route, stop, every=STORE_POLL_SECONDS, expected=(StoreUnavailable,), wake=wake)


def _workers(
    store: Store, policy: Policy, client: ProviderClient, submitter: Submitter, fetching: Fetching | None
) -> Workers[tuple[AttemptRow, VideoRow]]:
    sightings, looked_at = Sightings(), -math.inf
    owner = submitter.owner

    async def dead_ones() -> list[AttemptRow]:
        """Look, once a second, for what dead processes were sending."""
        nonlocal looked_at
        if time.monotonic() - looked_at < STORE_POLL_SECONDS:
            return []
        sent = await store.read_small(open_attempts.sending, client.name, now=None)
        looked_at = time.monotonic()
        return sightings.lapsed(sent, owner=owner, at=looked_at)

    async def claim(room: int) -> Found[tuple[AttemptRow, VideoRow]]:
        await submitter.clock.mend()
        dead = await dead_ones()
        found = await store.write_unsynced(
            submission_claims.claim,
            policy,
            client.name,
            owner=owner,
            room=room,
            now=store.now(),
            dead=dead,
            fetched=fetching.waiting() if fetching else None,
        )
        if fetching is not None:
            fetching.drop(found.lost)
            fetching.claimed([attempt.id for attempt, _ in found.work])
        if found.is_probe:
            log_probe(log, client.name, found.work[0][0].video_id)
        return Found({attempt.id: (attempt, video) for attempt, video in found.work}, found.again_at)

    async def handle(work: tuple[AttemptRow, VideoRow]) -> bool:
        return not await (fetching.submit(*work) if fetching else submitter.submit(client, *work))

    wake = store.listen(Signal.SUBMISSIONS)
    return Workers(
        limit=IN_FLIGHT,
        look_every=STORE_POLL_SECONDS,
        wake=wake,
        claim=claim,
        handle=handle,
        renew=renewal(store, owner=submitter.owner, seconds=LEASE_SECONDS),
        now=store.now,
    )
