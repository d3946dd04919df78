"""Health checks: liveness (the process answers), readiness (store and broker can be used), and metrics."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from intake.context import BrokerLink, Context
from jobs import feed, provider_states
from jobs.feed import Overview
from process import metrics
from providers.registry import PROVIDERS
from receiver import gauges, problems
from schemas.problem import FieldFault, ProblemCode, problem
from schemas.status import Alive, Commands, Outbox, Reachable, Ready, Status
from schemas.video import Document
from store.database import StoreUnavailable
from store.probe import probe

_FRESH_SECONDS = 0.5
_PROBE_SECONDS = 8.0
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at store and broker found; a fault of None means that it works."""

    at: float
    store_fault: str | None
    broker_fault: str | None
    overview: Overview | None

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest unpublished event has waited."""
        oldest_at = self.overview.backlog.oldest_at if self.overview else None
        return 0.0 if oldest_at is None else max(0.0, self.at - oldest_at)


class Health:
    """The routes for those who watch over the service."""

    def __init__(self, context: Context, *, internal: bool = False) -> None:
        """Tell strangers on the public surface whether the service is ready and no more, unless `internal`."""
        self._context = context
        self._told_bare = context.settings.surface == "public" and not internal
        self._newest: Findings | None = None
        self._looking: asyncio.Task[Findings] | None = None

    async def alive(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Say that this process answers."""
        return _shown(Alive())

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - as above
        """Say whether store and broker can be used, and why not."""
        found = await self._findings()
        faults = {"store": found.store_fault, "broker": found.broker_fault}
        wrong = [FieldFault(field=name, message=fault) for name, fault in faults.items() if fault]
        backlog = found.overview.backlog if found.overview else None
        if self._told_bare:
            return _bare(ready=not wrong)
        if wrong:
            detail = "; ".join(f"{fault.field}: {fault.message}" for fault in wrong)
            detail += f"; the oldest unpublished event has waited {found.oldest_seconds:.0f} s"
            return problems.document(
                problem(ProblemCode.NOT_READY, detail, wrong), {"retry-after": str(problems.RETRY_SECONDS)}
            )
        return _shown(
            Ready(
                broker="ready" if self._context.broker else None,
                unpublished_events=backlog.count if backlog else 0,
                oldest_unpublished_seconds=round(found.oldest_seconds, 3),
                refused_events=backlog.refused if backlog else 0,
                dead_letters=self._context.broker.dead_letters if self._context.broker else None,
            )
        )

    async def metrics(self, request: Request) -> Response:  # noqa: ARG002 - as above
        """Give all counts in Prometheus' text format."""
        context = self._context
        metrics.store_ready.set(int((await self._findings()).store_fault is None))
        if context.broker:
            metrics.broker_connected.set(int(context.broker.connected))
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_PROBE_SECONDS):
                rates = {provider: context.settings.rate(provider) for provider in PROVIDERS}
                await gauges.refresh(context.store, now=context.now(), rates=rates)
        return Response(generate_latest(metrics.REGISTRY), headers=_HEADERS, media_type=CONTENT_TYPE_LATEST)

    async def status(self, request: Request) -> Response:  # noqa: ARG002 - as above
        """Show what an operator wants to see at one glance: broker, backlog, open videos, providers."""
        found = await self._findings()
        enabled = await self._context.enabled.known() or ()
        shown = await self._context.store.read(provider_states.of_shown, enabled, now=found.at)
        backlog = found.overview.backlog if found.overview else None
        return _shown(
            Status(
                store=Reachable(ready=found.store_fault is None, fault=found.store_fault),
                broker=Reachable(ready=found.broker_fault is None, fault=found.broker_fault)
                if self._context.broker
                else None,
                public_address=self._context.public_route.state if self._context.public_route else None,
                outbox=Outbox(
                    unpublished=backlog.count if backlog else 0,
                    refused=backlog.refused if backlog else 0,
                    oldest_seconds=round(found.oldest_seconds, 3),
                    last_error=backlog.last_error if backlog else None,
                ),
                commands=_commands(self._context.broker),
                open_videos=found.overview.open_videos if found.overview else {},
                providers=shown,
            )
        )

    async def _findings(self) -> Findings:
        """Look, or give what a look of just now found; those who ask at once share one."""
        # A look that lies ahead is one from before the clock was put back: nobody knows how old it is.
        if self._newest is not None and 0 <= self._context.now() - self._newest.at < _FRESH_SECONDS:
            return self._newest
        if self._looking is None:
            self._looking = asyncio.create_task(self._probe())
        return await asyncio.shield(self._looking)

    async def _probe(self) -> Findings:
        try:
            store_fault, overview = await self._store()
            self._newest = Findings(self._context.now(), store_fault, self._broker(), overview)
            return self._newest
        finally:
            self._looking = None

    async def _store(self) -> tuple[str | None, Overview | None]:
        context = self._context
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await context.store.write(probe, now=context.now())
                return None, await context.store.read(feed.overview)
        except StoreUnavailable as error:
            return f"cannot be written: {error}", None
        except TimeoutError:
            return f"has not answered for {_PROBE_SECONDS:g} s", None

    def _broker(self) -> str | None:
        link = self._context.broker
        return None if link is None or link.connected else (link.last_error or "is not connected yet")


def _bare(*, ready: bool) -> Response:
    """Tell strangers whether the service is ready, and nothing else."""
    if ready:
        return Response(b'{"status":"ready"}', headers=_HEADERS, media_type="application/json")
    found = problem(ProblemCode.NOT_READY, "the service cannot be used now; try again")
    return problems.document(found, {"retry-after": str(problems.RETRY_SECONDS)})


def _commands(broker: BrokerLink | None) -> Commands | None:
    if broker is None:
        return None
    link = broker.commands
    shown = None if link is None else Reachable(ready=link.connected, fault=None if link.connected else link.last_error)
    return Commands(link=shown, dead_letters=broker.dead_letters)


def _shown(document: Document) -> Response:
    return Response(document.model_dump_json(), headers=_HEADERS, media_type="application/json")
