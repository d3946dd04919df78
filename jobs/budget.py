"""The rate limiter of requests to a provider: one token bucket in the store, shared by all processes."""

from dataclasses import dataclass

from jobs.policy import Policy
from providers.registry import capabilities
from schemas.names import Provider
from store import providers
from store.providers import ProviderRow
from store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests may be made now, when there will be one more, and what is left in the bucket."""

    requests: int
    again_at: float
    tokens: float = 0.0


def allowance(tx: Tx, policy: Policy, provider: Provider, *, now: float) -> Allowance:
    """Read how many requests may be made now; `again_at` is when one more than those may be."""
    shared = providers.get(tx, provider)
    if shared is None:  # nobody can hold a row that does not exist yet
        tx.lock(f"budget of {provider}")
        shared = providers.get(tx, provider)
    rate = policy.rates[provider]
    if shared is not None and shared.refilled_at > now:
        # The clock was put back: to wait until it is there again would stop the provider for so long.
        providers.set_tokens(tx, provider, tokens=shared.tokens, now=now)
    if shared is not None and shared.paused_until > now:
        return Allowance(0, shared.paused_until)
    left = tokens(provider, shared, rate, now)
    return Allowance(max(int(left), 0), now + (1 - left % 1) / rate, left)


def spend(tx: Tx, provider: Provider, allowed: Allowance, requests: int, *, now: float) -> None:
    """Take requests out of the budget, of which `allowed` was read in the same transaction."""
    if requests:
        providers.set_tokens(tx, provider, tokens=allowed.tokens - requests, now=now)


def burst(provider: Provider, rate: float) -> float:
    """Say how many requests the bucket holds when it is full; `rate` is in requests a second."""
    return max(rate * capabilities(provider).burst_seconds, 1.0)


def tokens(provider: Provider, shared: ProviderRow | None, rate: float, now: float) -> float:
    """Say how many requests the bucket holds; negative where more were made than it held."""
    full = burst(provider, rate)
    if shared is None:
        return full
    return min(full, shared.tokens + max(0.0, now - shared.refilled_at) * rate)
