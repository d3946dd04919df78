"""Build what processes and commands need from their settings."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog

from jobs.policy import Policy
from process.asyncio_events import wait
from process.inspector import Inspectors
from process.settings import Settings
from process.tokens import Signer
from providers.registry import PROVIDERS
from store import secrets as kept_secrets
from store.database import Store, StoreUnavailable, is_postgres

T = TypeVar("T")

START_SECONDS = 60.0
"""How long a process that starts waits for a database server that is away, as in a failover."""

log = structlog.get_logger(__name__)


def policy_of(settings: Settings) -> Policy:
    """Pick from the settings what the state machine needs to know."""
    return Policy(
        providers=settings.enabled_providers,
        rates={name: settings.rate(name) for name in PROVIDERS},
        submission_rates=settings.submission_rates,
        submit_attempts=settings.submit_attempts,
        submit_deadline=settings.submit_deadline,
        fallback_when_unsure=settings.fallback_when_unsure,
        confirm_wait=settings.submit_confirm_wait,
        trust_webhook_body=settings.trust_webhook_body,
        job_timeout=settings.job_timeout,
        poll_min=settings.poll_min,
        poll_max=settings.poll_max,
        webhook_graces=settings.webhook_graces,
        media_ttl=settings.media_ttl,
        retention=settings.retention_days * 86400,
        proves=frozenset(filter(settings.proves_results_of, settings.enabled_providers)),
    )


async def signer_of(settings: Settings, store: Store) -> Signer:
    """Take the secrets from the settings, or the one that the store makes up at its first start."""
    given = [secret.get_secret_value() for secret in settings.webhook_secrets]
    return Signer(given or [await _kept_secret(store)])


async def _kept_secret(store: Store) -> str:
    kept = await store.read(kept_secrets.get, "webhook")
    if kept is None:
        kept = await store.write(kept_secrets.keep, "webhook", secrets.token_urlsafe(32))
    return kept


async def awaited(settings: Settings, stop: asyncio.Event, start: Callable[[], Awaitable[T]]) -> T | None:
    """Do what a start needs the store for, and wait a minute for a database server that is away.

    Gives None if told to stop meanwhile. Raises as `start` does; `StoreUnavailable` at once where the store is a file.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + START_SECONDS
    while not stop.is_set():
        try:
            return await start()
        except StoreUnavailable as error:
            if not is_postgres(settings.database_url) or loop.time() > give_up_at:
                raise
            log.warning("waiting for the store", reason=str(error))
            await wait(stop, timeout=1.0)
    return None


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """Open the store, and close it in the end."""
    store = await Store.open(settings.database_url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def opened_inspectors() -> AsyncIterator[Inspectors]:
    """Build what looks into pictures, and end its processes in the end."""
    inspectors = Inspectors()
    try:
        yield inspectors
    finally:
        await inspectors.close()
