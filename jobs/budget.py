"""The rate limiter of requests to a provider: one token bucket in the store, shared by all processes.

Where a provider limits submissions apart from its other requests, they have a bucket of their own.
"""

from collections.abc import Callable
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
    apart: bool = False
    """Whether it is of the submissions' own bucket."""


def allowance(tx: Tx, policy: Policy, provider: Provider, *, now: float, submitting: bool = False) -> Allowance:
    """Read how many requests may be made now; `again_at` is when one more than those may be."""
    return ask_allowance(tx, policy, provider, now=now, submitting=submitting)()


def ask_allowance(
    tx: Tx, policy: Policy, provider: Provider, *, now: float, submitting: bool = False
) -> Callable[[], Allowance]:
    """Ask how many requests may be made now, and give what reads the answer: several questions can go in one trip."""
    asked = providers.ask(tx, provider)
    return lambda: _allowance(tx, policy, provider, asked(), now=now, submitting=submitting)


def most(policy: Policy, provider: Provider, *, submitting: bool) -> int:
    """Say how many requests may be made at once when the bucket is full."""
    return int(burst(provider, _rate(policy, provider, apart=submitting and provider in policy.submission_rates)))


def _rate(policy: Policy, provider: Provider, *, apart: bool) -> float:
    return policy.submission_rates[provider] if apart else policy.rates[provider]


def _allowance(
    tx: Tx, policy: Policy, provider: Provider, shared: ProviderRow | None, *, now: float, submitting: bool
) -> Allowance:
    if shared is None:  # nobody can hold a row that does not exist yet
        tx.lock(f"budget of {provider}")
        shared = providers.get(tx, provider)
    apart = submitting and provider in policy.submission_rates
    rate = _rate(policy, provider, apart=apart)
    kept, refilled_at = _kept(shared, apart=apart)
    if kept is not None and refilled_at > now:
        # The clock was put back: to wait until it is there again would stop the provider for so long.
        _write(tx, provider, kept, apart=apart, now=now)
    if shared is not None and shared.paused_until > now:
        return Allowance(0, shared.paused_until, apart=apart)
    left = tokens(provider, shared, rate, now, apart=apart)
    return Allowance(max(int(left), 0), now + (1 - left % 1) / rate, left, apart)


def spend(tx: Tx, provider: Provider, allowed: Allowance, requests: int, *, now: float) -> None:
    """Take requests out of the budget, of which `allowed` was read in the same transaction."""
    if requests:
        _write(tx, provider, allowed.tokens - requests, apart=allowed.apart, now=now)


def burst(provider: Provider, rate: float) -> float:
    """Say how many requests a bucket holds when it is full; `rate` is in requests a second."""
    return max(rate * capabilities(provider).burst_seconds, 1.0)


def tokens(provider: Provider, shared: ProviderRow | None, rate: float, now: float, *, apart: bool = False) -> float:
    """Say how many requests a bucket holds; negative where more were made than it held.

    `apart` asks for the bucket of a provider's submissions alone, whose rate is given then.
    """
    full = burst(provider, rate)
    kept, refilled_at = _kept(shared, apart=apart)
    return full if kept is None else min(full, kept + max(0.0, now - refilled_at) * rate)


def _kept(shared: ProviderRow | None, *, apart: bool) -> tuple[float | None, float]:
    """Give what a bucket held when it was last written, and when that was; None for one that is full."""
    if shared is None:
        return None, 0.0
    if apart:
        return shared.submission_tokens, shared.submission_refilled_at or 0.0
    return shared.tokens, shared.refilled_at


def _write(tx: Tx, provider: Provider, left: float, *, apart: bool, now: float) -> None:
    write = providers.set_submission_tokens if apart else providers.set_tokens
    write(tx, provider, tokens=left, now=now)
