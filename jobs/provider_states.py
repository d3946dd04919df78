"""What there is to see of each provider: whether it takes work, and if not, why and since when."""

from collections.abc import Collection

from jobs import circuit, webhook_record
from jobs.shown import shown_providers
from providers.registry import PROVIDERS
from schemas.names import Provider
from schemas.status import Circuit, CircuitState, ProviderState
from schemas.status import ProviderWord as State
from schemas.times import optional_rfc3339
from store import circuits, pauses, providers
from store.circuits import CircuitRow
from store.pauses import Pause
from store.providers import ProviderRow
from store.transaction import Tx


def of_all(tx: Tx, enabled: Collection[Provider], *, now: float) -> dict[Provider, ProviderState]:
    """Read every provider's state; `enabled` are those with credentials here."""
    return {provider: of_one(tx, provider, enabled, now=now) for provider in PROVIDERS}


def of_shown(tx: Tx, enabled: Collection[Provider], *, now: float) -> dict[Provider, ProviderState]:
    """Read the state of each provider that an overview shows."""
    return {provider: of_one(tx, provider, enabled, now=now) for provider in shown_providers(tx, enabled)}


def of_one(tx: Tx, provider: Provider, enabled: Collection[Provider], *, now: float) -> ProviderState:
    """Read one provider's state."""
    shared, row, pause = providers.get(tx, provider), circuits.get(tx, provider), pauses.get(tx, provider)
    unauthorized_since = shared.unauthorized_since if shared else None
    out_of_credits_since = shared.out_of_credits_since if shared else None
    throttled_until = shared.paused_until if shared and shared.paused_until > now else None
    return ProviderState(
        state=_in_a_word(shared, row, pause, now) if provider in enabled else "off",
        enabled=provider in enabled,
        authorized=unauthorized_since is None,
        unauthorized_since=optional_rfc3339(unauthorized_since),
        out_of_credits_since=optional_rfc3339(out_of_credits_since),
        paused_until=optional_rfc3339(throttled_until),
        paused=pause is not None,
        paused_since=optional_rfc3339(pause.since if pause else None),
        paused_by=pause.caller if pause else None,
        circuit=_circuit(row, now),
        webhooks=webhook_record.of_provider(tx, provider),
    )


def _in_a_word(shared: ProviderRow | None, row: CircuitRow, pause: Pause | None, now: float) -> State:
    if pause is not None:
        return "paused"
    if shared is not None and shared.unauthorized_since is not None:
        return "refusing"
    if shared is not None and shared.out_of_credits_since is not None:
        return "out_of_credits"
    if row.is_open:
        return "away" if circuit.state_of(row, now=now) is CircuitState.OPEN else "testing"
    if shared is not None and shared.paused_until > now:
        return "throttled"
    return "ready"


def _circuit(row: CircuitRow, now: float) -> Circuit:
    return Circuit(
        state=circuit.state_of(row, now=now),
        since=optional_rfc3339(row.opened_at if row.is_open else row.closed_at),
        reason=row.reason if row.is_open else None,
        probe_at=optional_rfc3339(row.probe_at if row.is_open else None),
    )
