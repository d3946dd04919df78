"""Share a provider's budget by need: what is paid comes first, then new jobs, as far as they can be looked at."""

from collections.abc import Callable

from jobs import budget
from jobs.budget import Allowance
from jobs.policy import LEASE_SECONDS, Policy
from schemas.names import Provider
from store import due_attempts
from store.transaction import Tx


def ask_for_submissions(tx: Tx, policy: Policy, provider: Provider, *, now: float) -> Callable[[Allowance], int]:
    """Ask what is due, and give what says how many of the requests that may be made now new jobs may have.

    A request is left for each check that is due, where both draw on one budget: jobs that are opened faster than they
    can be looked at are paid, and found late. So none is opened either while nobody looks at all.
    """
    limit = max(budget.most(policy, provider, submitting=True), 1)
    asked = due_attempts.ask_checks_due(tx, provider, now=now, limit=limit)

    def share(allowed: Allowance) -> int:
        count, oldest = asked()
        if oldest is not None and now - oldest > policy.poll_max + LEASE_SECONDS:
            return 0
        return allowed.requests if allowed.apart else max(allowed.requests - count, 0)

    return share
