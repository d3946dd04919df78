"""Run the roles of one process over one store, until told to stop; each then finishes what it has in hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from structlog.contextvars import bind_contextvars

from jobs import feed
from process import event_loop, metrics, tracing
from process.asyncio_events import wait_any
from process.leaving import leaving
from process.settings import Settings
from providers.base import ProviderClient
from publisher.broker_state import BrokerState
from reelbus.parts import Parts
from reelbus.wiring import awaited, opened_inspectors, policy_of, signer_of
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


ASKING = frozenset({Role.GENERATOR, Role.POLLER})
"""The roles that ask providers: only they hold credentials, and load what speaks to third parties."""

Start = Callable[[Parts], Coroutine[Any, Any, None]]


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
    async with _opened_clients(settings, roles) as clients, opened_inspectors() as inspectors:
        store.observe_commits(metrics.note_commit)
        # A server can go away between two steps of a start as well: a primary that is being replaced, say.
        signer = await awaited(settings, stop, lambda: signer_of(settings, store))
        if signer is None:
            return
        parts = Parts(settings, policy_of(settings), store, signer, clients, BrokerState(), inspectors, stop)
        async with asyncio.TaskGroup() as tasks:
            for role, start in starts(settings, roles):
                tasks.create_task(_named(role, start(parts)))
            tasks.create_task(_end_without_writer(store, stop))
            tasks.create_task(event_loop.measure(stop))


@asynccontextmanager
async def _opened_clients(settings: Settings, roles: Collection[Role]) -> AsyncIterator[dict[Provider, ProviderClient]]:
    if ASKING.isdisjoint(roles):
        yield {}
        return
    from reelbus.asking import opened_clients

    async with opened_clients(settings) as clients:
        yield clients


async def _end_without_writer(store: Store, stop: asyncio.Event) -> None:
    """End the process, with an error, if a thread of its store dies: it would answer for ever and keep nothing."""
    await wait_any(store.broken, stop)
    store.raise_if_broken()


def starts(settings: Settings, roles: Collection[Role]) -> list[tuple[Role | None, Start]]:
    """Load what these roles need, and no more; give what runs each, and what answers for the health of them all."""
    running: list[tuple[Role | None, Start]] = [(role, _start(role)) for role in roles]
    answers_for_health = Role.RECEIVER in roles or settings.health_port is not None
    if settings.health_port is not None:
        from reelbus.receiver_role import run_health

        running.append((None, run_health))
    if Role.PUBLISHER not in roles and answers_for_health:
        from reelbus.publisher_role import stay_connected

        running.append((None, stay_connected))
    return running


def _start(role: Role) -> Start:
    match role:
        case Role.RECEIVER:
            from reelbus import receiver_role

            return receiver_role.run
        case Role.GENERATOR:
            from reelbus import generator_role

            return generator_role.run
        case Role.POLLER:
            from reelbus import poller_role

            return poller_role.run
        case Role.PUBLISHER:
            from reelbus import publisher_role

            return publisher_role.run


async def _named(role: Role | None, running: Coroutine[Any, Any, None]) -> None:
    """Run a role whose log lines, and those of all tasks that it starts, name it."""
    if role is not None:
        bind_contextvars(role=role.value)
    await running
