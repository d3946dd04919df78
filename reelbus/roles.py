"""Run the roles of one process over one store, until told to stop; each then finishes what it has in hand."""

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from structlog.contextvars import bind_contextvars

import generator.run
import poller.run
import publisher.run
import receiver.run
from generator.pictures import Pictures
from intake import commands
from intake.commands import Reply
from intake.context import Context
from jobs import feed
from jobs.policy import Policy
from poller.drift import DriftSentinel
from poller.run import LEARN_SECONDS
from process import event_loop, metrics, tracing
from process.addresses import Addresses
from process.asyncio_events import wait_any
from process.inspector import Inspectors
from process.leaving import leaving
from process.repeating import repeat
from process.settings import Settings
from process.tokens import Signer
from providers.base import ProviderClient
from providers.http.names import NameThreads
from providers.http.pictures import fetch_picture
from providers.parsing.webhook_hints import read_webhook
from publisher.command_processing import Command
from publisher.connection import BrokerState
from reelbus.errors import env_file
from reelbus.parked import ParkedCommands
from reelbus.public_address import PublicAddress
from reelbus.setting_sources import sources
from reelbus.takers import Takers
from reelbus.wiring import awaited, opened_clients, opened_inspectors, policy_of, result_prover, signer_of
from schemas.event import Naming
from schemas.names import Provider
from store.database import Store, StoreUnavailable

_FAREWELL_SECONDS = 1.0


class Role(StrEnum):
    """A part of the service that may run alone or with the others in one process."""

    RECEIVER = "receiver"
    GENERATOR = "generator"
    POLLER = "poller"
    PUBLISHER = "publisher"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the roles of one process share."""

    settings: Settings
    policy: Policy
    store: Store
    signer: Signer
    clients: dict[Provider, ProviderClient]
    broker: BrokerState
    inspectors: Inspectors
    stop: asyncio.Event

    @property
    def context(self) -> Context:
        """What the rooms that accept videos work with."""
        return Context(
            self.settings,
            self.store,
            self.signer,
            broker=self.broker,
            dead_commands=ParkedCommands(self.settings),
            subscriptions=Takers(self.settings),
            shown_settings=sources(self.settings, env_file()),
            inspectors=self.inspectors,
            now=self.store.now,
        )


@dataclass(frozen=True, slots=True)
class Farewell:
    """What a process leaves behind, as far as the store could still be asked; all of it goes on at the next start."""

    unpublished_events: int | None
    open_videos: int | None

    @property
    def facts(self) -> dict[str, int]:
        """Give what there is to tell, with what was in hand at the end."""
        known = {"unpublished_events": self.unpublished_events, "open_videos": self.open_videos}
        told = {name: number for name, number in known.items() if number is not None}
        return {"finished": leaving.finished, "cancelled": leaving.cancelled, **told}


async def run_roles(settings: Settings, roles: Collection[Role], stop: asyncio.Event) -> Farewell:
    """Run roles in this process until `stop` is set.

    Raises an ExceptionGroup of whatever a role could not go on after.
    """
    Naming.source = settings.source
    tracing.set_up([str(role) for role in roles])
    try:
        return await _run_traced(settings, roles, stop)
    finally:
        await asyncio.to_thread(tracing.close)


async def _run_traced(settings: Settings, roles: Collection[Role], stop: asyncio.Event) -> Farewell:
    store = await awaited(settings, stop, lambda: Store.open(settings.database_url))
    if store is None:
        return Farewell(None, None)
    try:
        await _run_over(store, settings, roles, stop)
        return await _farewell(store)
    finally:
        await store.close()


async def _farewell(store: Store) -> Farewell:
    """Ask for a moment; whoever stops waits for nothing that is away."""
    with suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(_FAREWELL_SECONDS):
            left = await store.read(feed.overview)
            return Farewell(left.backlog.count, sum(left.open_videos.values()))
    return Farewell(None, None)


async def _run_over(store: Store, settings: Settings, roles: Collection[Role], stop: asyncio.Event) -> None:
    async with opened_clients(settings) as clients, opened_inspectors() as inspectors:
        store.observe_commits(metrics.note_commit)
        # A server can go away between two steps of a start as well: a primary that is being replaced, say.
        signer = await awaited(settings, stop, lambda: signer_of(settings, store))
        if signer is None:
            return
        parts = _Parts(settings, policy_of(settings), store, signer, clients, BrokerState(), inspectors, stop)
        async with asyncio.TaskGroup() as tasks:
            for role in _starts(parts, roles):
                tasks.create_task(role)
            tasks.create_task(_end_without_writer(store, stop))
            tasks.create_task(event_loop.measure(stop))


async def _end_without_writer(store: Store, stop: asyncio.Event) -> None:
    """End the process, with an error, if a thread of its store dies: it would answer for ever and keep nothing."""
    await wait_any(store.broken, stop)
    store.raise_if_broken()


def _starts(parts: _Parts, roles: Collection[Role]) -> list[Coroutine[Any, Any, None]]:
    starts = {
        Role.RECEIVER: _receiver,
        Role.GENERATOR: _generator,
        Role.POLLER: _poller,
        Role.PUBLISHER: _publisher,
    }
    running = [_named(role, starts[role](parts)) for role in roles]
    answers_for_health = Role.RECEIVER in roles or parts.settings.health_port is not None
    if parts.settings.health_port is not None:
        running.append(receiver.run.run_health(parts.context, parts.stop))
    if Role.PUBLISHER not in roles and answers_for_health:
        running.append(publisher.run.stay_connected(parts.settings, parts.broker, parts.stop))
    return running


async def _named(role: Role, running: Coroutine[Any, Any, None]) -> None:
    """Run a role whose log lines, and those of all tasks that it starts, name it."""
    bind_contextvars(role=role.value)
    await running


async def _receiver(parts: _Parts) -> None:
    settings, context = parts.settings, parts.context
    if settings.public_url is None or settings.surface == "public":  # who only answers there need not ask as well
        await receiver.run.run(context, parts.stop)
        return
    context.public_route = address = PublicAddress(settings, parts.signer)
    watching = asyncio.create_task(address.watch(parts.stop))
    try:
        await receiver.run.run(context, parts.stop)
    finally:
        watching.cancel()


async def _generator(parts: _Parts) -> None:
    settings = parts.settings
    fetch = partial(
        fetch_picture,
        resolver=NameThreads(),
        allow_private=settings.allow_private_image_hosts,
        max_bytes=settings.max_body_bytes,
        timeout=settings.provider_timeout,
    )
    addresses = Addresses(settings.base_url, parts.signer, media_ttl=settings.media_ttl)
    pictures = Pictures(parts.store, addresses, fetch, parts.inspectors)
    sentinel = DriftSentinel(parts.store)
    keep = repeat(sentinel.keep, parts.stop, every=LEARN_SECONDS, expected=(StoreUnavailable,))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep)
        tasks.create_task(
            generator.run.run(parts.store, parts.policy, parts.clients, pictures, parts.stop, sentinel.watch)
        )


async def _poller(parts: _Parts) -> None:
    read = partial(
        read_webhook,
        ours=parts.settings.account_names,
        allow_private=parts.settings.allow_private_output_hosts,
    )
    prove = result_prover(parts.settings).prove
    await poller.run.run(parts.store, parts.policy, parts.clients, read, prove, parts.stop)


async def _publisher(parts: _Parts) -> None:
    context = parts.context

    async def handle(command: Command) -> Reply:
        return await commands.handle(context, command.body, command.message_id, command.trace)

    await publisher.run.run(parts.settings, parts.store, parts.broker, handle, parts.stop)
