"""What the page of one provider shows beyond its state: its budget, how soon it answers, how long its jobs take."""

from statistics import quantiles

from jobs import budget
from jobs.durations import Plan
from schemas.names import Provider
from schemas.status import AnswerTimes, Duration, RequestBudget
from store import durations, newest, providers
from store.transaction import Tx

NEWEST = 200
"""Of how many videos the times of answers are."""

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


def answer_times(tx: Tx, provider: Provider) -> AnswerTimes | None:
    """Read how soon a provider accepted its newest submissions; None before the first."""
    # A clock that was put back in between makes no answer older than its question.
    took = [max(0.0, accepted_at - sent_at) for sent_at, accepted_at in newest.taken(tx, provider, limit=NEWEST)]
    if not took:
        return None
    tenths = quantiles(took, n=10, method="inclusive") if len(took) > 1 else took * 9
    return AnswerTimes(submissions=len(took), median=round(tenths[4], 3), nine_in_ten=round(tenths[8], 3))
