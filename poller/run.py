"""Run the poller: check what is due, give up what is over, tidy up."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import uuid4

import structlog

from jobs import check_claims, overdue
from jobs import clock as clock_rules
from jobs.announced import ANNOUNCE_SECONDS
from jobs.policy import LEASE_SECONDS, STORE_POLL_SECONDS, Policy
from poller.checking import Checker
from poller.drift import DriftSentinel
from poller.proving import ReadWebhook
from poller.result_lane import ResultLane
from poller.results import Prove
from poller.upkeep import Upkeep
from process import metrics
from process.clock import watch_of
from process.repeating import repeat
from process.workers import Found, Workers
from providers.base import ProviderClient
from schemas.names import Provider
from store.attempts import AttemptRow
from store.database import Store, StoreUnavailable
from store.lease_renewal import renewal
from store.transaction import Signal
from store.unreadable import MALFORMED, Kind, put_aside

IN_FLIGHT = 16
"""Checks of one provider at once."""

LEARN_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 60.0

log = structlog.get_logger(__name__)


async def run(
    store: Store,
    policy: Policy,
    clients: Mapping[Provider, ProviderClient],
    read_webhook: ReadWebhook,
    prove: Prove,
    stop: asyncio.Event,
) -> None:
    """Check until told to stop, then finish what is in hand. Any number of pollers may run at once."""
    clock = watch_of(store, clock_rules.mend)
    sentinel = DriftSentinel(store)
    name = f"poller-{uuid4().hex}"
    checker = Checker(store, policy, name, read_webhook, prove, clock, answered=sentinel.watch)
    upkeep = Upkeep(store, policy, checker)
    again = partial(repeat, stop=stop, expected=(StoreUnavailable,))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(again(checker.store_lessons, every=LEARN_SECONDS))
        tasks.create_task(again(sentinel.keep, every=LEARN_SECONDS))
        tasks.create_task(again(upkeep.give_up, every=overdue.STEP_SECONDS))
        tasks.create_task(again(clock.compare, every=STORE_POLL_SECONDS))
        tasks.create_task(again(upkeep.switch_off, every=ANNOUNCE_SECONDS))
        steps = (upkeep.tidy, upkeep.drop_pictures, store.pictures.remove_orphans, upkeep.erase_old, upkeep.review)
        for step in (*steps, sentinel.compare):
            tasks.create_task(again(step, every=HOUSEKEEPING_SECONDS))
        for client in clients.values():
            tasks.create_task(_workers(store, policy, client, checker).run(stop))
    with suppress(StoreUnavailable):
        await checker.store_lessons()


def _workers(store: Store, policy: Policy, client: ProviderClient, checker: Checker) -> Workers[AttemptRow]:
    lane = ResultLane(checker.prove)
    checker = replace(checker, prove=lane.prove)

    async def claim(room: int) -> Found[AttemptRow]:
        await checker.clock.mend()
        found = await store.write_unsynced(
            check_claims.claim, policy, client.name, owner=checker.owner, room=room, now=store.now()
        )
        for provider in found.late:
            metrics.webhooks_late.labels(provider).inc()
        return Found({attempt.id: attempt for attempt in found.work}, found.again_at)

    async def handle(attempt: AttemptRow) -> bool:
        try:
            return not await checker.check(client, attempt)
        except StoreUnavailable as error:
            # What was answered is asked for again when the lease has run out.
            log.warning("answer not stored", video=attempt.video_id, provider=client.name, error=str(error))
            return False
        except MALFORMED as error:
            log.exception("attempt put aside", video=attempt.video_id, provider=client.name)
            await store.write(put_aside, Kind.ATTEMPT, attempt.id, str(error), now=store.now())
            return False
        except asyncio.CancelledError:
            await store.write(check_claims.release, attempt, owner=checker.owner, now=store.now())
            raise

    wake = store.listen(Signal.CHECKS)
    lane.workers = Workers(
        limit=IN_FLIGHT,
        look_every=STORE_POLL_SECONDS,
        wake=wake,
        claim=claim,
        handle=handle,
        renew=renewal(store, owner=checker.owner, seconds=LEASE_SECONDS),
        now=store.now,
    )
    return lane.workers
