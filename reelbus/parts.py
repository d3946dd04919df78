"""What the roles of one process share."""

import asyncio
from dataclasses import dataclass

from jobs.policy import Policy
from process.inspector import Inspectors
from process.settings import Settings
from process.tokens import Signer
from providers.base import ProviderClient
from publisher.broker_state import BrokerState
from schemas.names import Provider
from store.database import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """What the roles of one process share."""

    settings: Settings
    policy: Policy
    store: Store
    signer: Signer
    clients: dict[Provider, ProviderClient]
    """Empty in a process that asks no provider."""
    broker: BrokerState
    inspectors: Inspectors
    stop: asyncio.Event
