"""Build what asks the providers: their clients, and what proves their results. Only who asks loads it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module

import structlog

from poller.keeping import clip_store
from poller.results import ResultProver
from process import metrics
from process.settings import Settings
from providers.base import BuildClient, ProviderClient
from providers.http.guarded import Guard
from providers.http.names import NameThreads
from providers.registry import PROVIDERS
from schemas.names import Provider

log = structlog.get_logger(__name__)


def clients_of(settings: Settings) -> dict[Provider, ProviderClient]:
    """Build a client for every provider that has credentials."""
    return {provider: _client(settings, provider) for provider in settings.enabled_providers}


def _client(settings: Settings, provider: Provider) -> ProviderClient:
    module, _, function = PROVIDERS[provider].client.partition(":")
    build: BuildClient = getattr(import_module(module), function)
    return build(settings.given(provider), partial(_count_unknown_status, provider))


def _count_unknown_status(provider: Provider, word: str) -> None:
    log.warning("unknown status word", provider=provider, word=word)
    metrics.unknown_status.labels(provider).inc()


def result_prover(settings: Settings) -> ResultProver:
    """Build what asks the addresses of results, and keeps copies where that is wished."""
    guard = Guard(NameThreads(), settings.allow_private_output_hosts, "video")
    clips = None if settings.keep_results is None else clip_store(settings.keep_results)
    return ResultProver(guard, settings.provider_timeout, clips)


@asynccontextmanager
async def opened_clients(settings: Settings) -> AsyncIterator[dict[Provider, ProviderClient]]:
    """Build the providers' clients, and close them in the end."""
    clients = clients_of(settings)
    try:
        yield clients
    finally:
        for client in clients.values():
            await client.close()
