"""What the page of one provider shows beyond its state: its budget of requests, and how long its jobs take."""

from jobs import budget
from jobs.durations import Plan
from schemas.names import Provider
from schemas.status import Duration, RequestBudget
from store import durations, providers
from store.transaction import Tx

_SHARES = (0.01, *(step / 20 for step in range(1, 20)), 0.99)


def learnt(tx: Tx, provider: Provider) -> list[Duration]:
    """Read the curve of a provider's durations, none before enough jobs ended to rely on it."""
    kept = durations.load(tx, provider)
    plan = Plan() if kept is None else Plan.loads(kept)
    if not plan.learnt:
        return []
    return [Duration(share=share, seconds=round(plan.quantile(share), 2)) for share in _SHARES]


def budget_of(tx: Tx, provider: Provider, *, rate: float, now: float, apart: bool = False) -> RequestBudget:
    """Read a provider's budget, or with `apart` that of its submissions alone; `rate` is in requests a second."""
    left = budget.tokens(provider, providers.get(tx, provider), rate, now, apart=apart)
    return RequestBudget(left=round(left, 1), burst=budget.burst(provider, rate), a_minute=rate * 60)
