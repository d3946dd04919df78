"""What `reelbus doctor` finds of the providers: their accounts, their clocks, and what the store knows against them."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence

from jobs import provider_states
from process.settings import Settings
from providers.base import VerificationFailed
from providers.http.seen import SeenAnswer, watched_answers
from providers.registry import PROVIDERS
from reelbus.finding import Finding
from reelbus.wiring import opened_clients, opened_store
from schemas.names import Provider
from schemas.status import CircuitState, ProviderState
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
                yield Finding(provider, "off", "no credentials are set, or REELBUS_PROVIDERS leaves it out")
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
            for finding in (*_clock(provider, seen), *_trouble(provider, known.get(provider))):
                yield finding


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


def _trouble(provider: Provider, state: ProviderState | None) -> Iterator[Finding]:
    """Tell what the store knows against a provider that answers now."""
    if state is not None and not state.authorized:
        yield Finding(provider, "warn", "it refused our credentials at the last job or check", "watch /metrics")
    if state is not None and state.out_of_credits_since is not None:
        detail = f"has refused submissions since {state.out_of_credits_since}: no credits are left"
        yield Finding(provider, "warn", detail, "buy credits; the next submission that is taken clears this")
    if state is not None and state.paused:
        detail = f"paused since {state.paused_since} by {state.paused_by}"
        yield Finding(provider, "warn", detail, f"reelbus resume {provider}")
    if state is not None and state.circuit.state is not CircuitState.CLOSED:
        detail = f"takes no submissions since {state.circuit.since}: {state.circuit.reason}"
        yield Finding(provider, "warn", detail, f"it is tested again from {state.circuit.probe_at} on; nothing to do")


async def _kept(settings: Settings) -> tuple[dict[Provider, ProviderState], dict[Provider, int]]:
    """Read what the store says of the providers, and how many attempts of each are open."""
    try:
        file = sqlite_file(settings.database_url)
        found = look(file) if file else None
        if file and (found is None or found.behind):
            return {}, {}
        async with opened_store(settings) as store:
            known = await store.read(provider_states.of_all, settings.enabled_providers, now=time.time())
            left = {each: await store.read(open_attempts.count_open, each, limit=_COUNTED) for each in PROVIDERS}
    except (StoreUnavailable, StoreTooNew, OSError):
        return {}, {}
    return known, left
