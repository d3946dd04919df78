"""Bring the gauges that are read from the store up to date; every process shows the same."""

from dataclasses import dataclass

from jobs import budget, feed, ledger, provider_states
from jobs.feed import Overview
from process import metrics
from providers.registry import PROVIDERS
from schemas.names import Provider, VideoStatus
from schemas.status import CircuitState, ProviderState
from schemas.video import ProviderCredits
from store import providers
from store.database import Store
from store.providers import ProviderRow
from store.transaction import Tx

_OPEN = (VideoStatus.ACCEPTED, VideoStatus.SUBMITTING, VideoStatus.GENERATING)


@dataclass(frozen=True, slots=True)
class _Seen:
    overview: Overview
    providers: dict[Provider, ProviderRow | None]
    states: dict[Provider, ProviderState]
    credits: dict[Provider, ProviderCredits]


async def refresh(store: Store, *, now: float, rates: dict[Provider, float]) -> None:
    """Set the gauges; `rates` are the requests a second that each provider is asked at most.

    Raises `StoreUnavailable`.
    """
    seen = await store.read(_read, now)
    _backlog(seen.overview, now)
    for provider in PROVIDERS:
        _provider(provider, seen.providers[provider], rates[provider], now)
        _state(provider, seen.states[provider])
        _credits(provider, seen.credits[provider])


def _read(tx: Tx, now: float) -> _Seen:
    rows = {provider: providers.get(tx, provider) for provider in PROVIDERS}
    # Who is enabled shows in no gauge.
    states = provider_states.of_all(tx, (), now=now)
    return _Seen(feed.overview(tx), rows, states, ledger.all_credits(tx))


def _backlog(overview: Overview, now: float) -> None:
    backlog = overview.backlog
    metrics.outbox_events.set(backlog.count)
    metrics.events_refused.set(backlog.refused)
    metrics.outbox_oldest_seconds.set(0 if backlog.oldest_at is None else max(0.0, now - backlog.oldest_at))
    for state in _OPEN:
        metrics.videos_open.labels(state).set(overview.open_videos.get(state, 0))


def _provider(provider: Provider, row: ProviderRow | None, rate: float, now: float) -> None:
    metrics.provider_held_back.labels(provider).set(int(row is not None and row.paused_until > now))
    metrics.provider_budget_requests.labels(provider).set(max(0.0, budget.tokens(provider, row, rate, now)))


def _state(provider: Provider, state: ProviderState) -> None:
    metrics.provider_authorized.labels(provider).set(int(state.authorized))
    if state.webhooks is not None:
        metrics.webhooks_missed_in_a_row.labels(provider).set(state.webhooks.missed_in_a_row)
    metrics.provider_out_of_credits.labels(provider).set(int(state.out_of_credits_since is not None))
    metrics.provider_paused.labels(provider).set(int(state.paused))
    for name in CircuitState:
        metrics.provider_circuit.labels(provider, name).set(int(state.circuit.state == name))


def _credits(provider: Provider, found: ProviderCredits) -> None:
    if found.remaining is not None:
        metrics.credits_remaining.labels(provider).set(found.remaining)
    metrics.credits_spent.labels(provider).set(found.spent)
    metrics.credits_refunded.labels(provider).set(found.refunded)
    metrics.credits_unknown.labels(provider).set(found.unknown)
    metrics.credits_unexplained.labels(provider).set(found.unexplained)
