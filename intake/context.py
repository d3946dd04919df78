"""What the receiver is given to work with, and how much of it may be in use at once."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from intake.dead_commands import DeadCommandQueue
from intake.enabled import EnabledProviders
from intake.spool import Spool
from intake.subscriptions import SubscriptionDesk
from process.addresses import Addresses
from process.inspector import Inspectors
from process.settings import Settings
from process.tokens import Signer
from schemas.problem import ProblemCode, Refusal
from schemas.status import Reachable
from store.database import Store
from store.transaction import Tx

P = ParamSpec("P")
T = TypeVar("T")

COMMANDS_CALLER = ":commands"
"""The key space of commands; no API key can be named so, because a key's name ends at its first colon."""

LOCAL_CALLER = ":local"
"""The one caller there is while no API keys are set."""

SMALL_BODY = 16 * 1024
"""Up to how many bytes a body is read on the event loop."""

LARGE_BODY = 1024 * 1024


class BrokerLink(Protocol):
    """How the link to the broker is doing, as far as this process knows."""

    @property
    def connected(self) -> bool:
        """Whether events can be published now."""

    @property
    def last_error(self) -> str | None:
        """Why not."""

    @property
    def dead_letters(self) -> int | None:
        """How many commands are parked, None while nobody knows."""

    @property
    def commands(self) -> "BrokerLink | None":
        """The link that takes commands, where this process has one."""


class PublicRoute(Protocol):
    """Whether our own requests to the public address come back to us."""

    @property
    def state(self) -> Reachable | None:
        """What the newest found; None while none has ever come back."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep memory and waiting times small; sizes in bytes, times in seconds."""

    connections: int = 8192
    requests: int = 1024
    webhooks: int = 4096
    waiting_writes: int = 2048
    head_bytes: int = 32 * 1024
    head_fields: int = 100
    head_seconds: float = 10.0
    pipelined: int = 8
    body_stall: float = 30.0
    body_in_memory: int = SMALL_BODY
    send_stall: float = 30.0
    event_comment: float = 15.0
    key_requests: int = 2000
    key_window: int = 10
    listeners: int = 256
    key_listeners: int = 64
    redeliveries: int = 300
    redelivery_window: int = 60
    spool: int = 512 * 1024 * 1024


class WaitLimit:
    """Counts those who wait, each by a `with` block around its wait. Every webhook enters it, so it is cheap."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = 0

    def __enter__(self) -> None:
        """Join the others. Raises `Refusal` (overloaded) where too many wait already."""
        if self._waiting >= self._most:
            detail = "more requests are waiting than can be served soon; try again"
            raise Refusal(ProblemCode.OVERLOADED, detail, retry_after=1)
        self._waiting += 1

    def __exit__(self, *_: object) -> None:
        self._waiting -= 1


@dataclass(eq=False)
class Context:
    """Everything that a receiver needs.

    Without `broker`, readiness says nothing about one.
    """

    settings: Settings
    store: Store
    signer: Signer
    broker: BrokerLink | None = None
    dead_commands: DeadCommandQueue | None = None
    subscriptions: SubscriptionDesk | None = None
    public_route: PublicRoute | None = None
    shown_settings: Sequence[Mapping[str, object]] = ()
    """Name, source and value of every setting, secrets masked."""
    limits: Limits = Limits()
    now: Callable[[], float] = time.time
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    inspectors: Inspectors = field(default_factory=Inspectors)
    """Look into uploaded pictures."""
    large_bodies: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    """Held by whoever has a body of up to `LARGE_BODY` bytes in memory."""
    largest_bodies: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Held by whoever has a larger one."""

    def room_for(self, size: int) -> asyncio.Semaphore:
        """Give what is to be held while a body of so many bytes is in memory; the largest wait for each other alone."""
        return self.large_bodies if size <= LARGE_BODY else self.largest_bodies

    async def write(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Write to the store, unless too many wait for that already: then raise `Refusal` (overloaded)."""
        with self.queue:
            return await self.store.write(work, *args, **kwargs)

    async def write_small(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same for work of a few small rows."""
        with self.queue:
            return await self.store.write_small(work, *args, **kwargs)

    @cached_property
    def queue(self) -> WaitLimit:
        """Those who wait for the store."""
        return WaitLimit(self.limits.waiting_writes)

    @cached_property
    def spool(self) -> Spool:
        """Room for large bodies; at least two of the largest fit in for each caller."""
        return Spool(max(self.limits.spool, 4 * self.settings.max_body_bytes))

    @cached_property
    def enabled(self) -> EnabledProviders:
        """Knows which providers can make videos."""
        return EnabledProviders(self.settings, self.store)

    @cached_property
    def addresses(self) -> Addresses:
        """Makes the addresses at which uploaded pictures can be fetched for a while."""
        return Addresses(self.settings.base_url, self.signer, media_ttl=self.settings.media_ttl)
