"""Share a provider's budget by need: what is paid comes first, then new jobs, as far as they can be looked at."""

from jobs.budget import Allowance
from jobs.policy import LEASE_SECONDS, Policy
from schemas.names import Provider
from store import due_attempts
from store.transaction import Tx


def for_submissions(tx: Tx, policy: Policy, provider: Provider, allowed: Allowance, *, now: float) -> int:
    """Say how many of the requests that may be made now new jobs may have.

    A request is left for each check that is due, where both draw on one budget: jobs that are opened faster than they
    can be looked at are paid, and found late. So none is opened either while nobody looks at all.
    """
    count, oldest = due_attempts.checks_due(tx, provider, now=now, limit=max(allowed.requests, 1))
    if oldest is not None and now - oldest > policy.poll_max + LEASE_SECONDS:
        return 0
    return allowed.requests if allowed.apart else max(allowed.requests - count, 0)
