"""What `reelbus doctor` finds of the providers: their accounts, their clocks, and what the store knows against them."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from jobs import provider_states
from process.settings import Settings
from providers.base import VerificationFailed
from providers.http.seen import SeenAnswer, watched_answers
from providers.registry import PROVIDERS
from reelbus.asking import opened_clients
from reelbus.finding import Finding
from reelbus.provider_faults import OFF, faults
from reelbus.wiring import opened_store
from schemas.names import Provider
from store import open_attempts
from store.database import StoreUnavailable
from store.look import look, sqlite_file
from store.migrate import StoreTooNew

_COUNTED = 1000
_CLOCK_SECONDS = 30.0


async def provider_findings(settings: Settings) -> AsyncIterator[Finding]:
    """Ask each provider that is used, and tell what the store knows of it."""
    known, left = await _kept(settings)
    async with opened_clients(settings) as clients:
        for provider in PROVIDERS:
            client = clients.get(provider)
            if client is None:
                yield Finding(provider, "off", OFF)
                if left.get(provider):
                    yield _left_open(provider, left[provider])
                continue
            try:
                with watched_answers() as seen:
                    account = await client.verify()
            except VerificationFailed as error:
                yield Finding(provider, "fail", str(error), f"check REELBUS_{provider.upper()}_URL and its credentials")
                continue
            yield Finding(provider, "ok", account)
            for finding in _clock(provider, seen):
                yield finding
            for fault in faults(known.get(provider, {})):
                yield Finding(provider, "warn", fault.says, fault.mend)


def _clock(provider: Provider, seen: Sequence[SeenAnswer]) -> Iterator[Finding]:
    """Set our clock against the provider's: signatures and deadlines need it right."""
    ahead = next((each.clock_ahead for each in reversed(seen) if each.clock_ahead is not None), None)
    if ahead is not None and abs(ahead) > _CLOCK_SECONDS:
        detail = f"its clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
        yield Finding(provider, "warn", detail, "run NTP here; webhooks that are signed are refused by a wrong clock")


def _left_open(provider: Provider, count: int) -> Finding:
    number = f"{_COUNTED} or more" if count >= _COUNTED else str(count)
    detail = f"it is switched off here, and {number} of its attempts are open"
    return Finding(
        provider,
        "warn",
        detail,
        "switch it on again, or leave a poller running: it ends what nobody has credentials for",
    )


async def _kept(settings: Settings) -> tuple[dict[Provider, dict[str, Any]], dict[Provider, int]]:
    """Read what the store says of the providers, and how many attempts of each are open."""
    try:
        file = sqlite_file(settings.database_url)
        found = look(file) if file else None
        if file and (found is None or found.behind):
            return {}, {}
        async with opened_store(settings) as store:
            states = await store.read(provider_states.of_all, settings.enabled_providers, now=time.time())
            left = {each: await store.read(open_attempts.count_open, each, limit=_COUNTED) for each in PROVIDERS}
    except (StoreUnavailable, StoreTooNew, OSError):
        return {}, {}
    return {each: state.model_dump(mode="json") for each, state in states.items()}, left
