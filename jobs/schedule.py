"""When to look at an attempt next: pure, in seconds, within the operator's bounds."""

import random
from collections.abc import Mapping
from types import MappingProxyType

from jobs.durations import Plan
from jobs.policy import LATE_RESULT_SECONDS, Policy
from providers.capabilities import Lookup
from providers.registry import capabilities, lookup_of
from schemas.names import Provider
from store.attempts import AttemptRow

_AGE_PER_GAP = 5
"""While nothing is learnt yet, a job is left alone for a fifth of the time that it has been watched."""

NOTHING_LEARNT = Plan()

_LONGEST_LATE_GAP = 3600.0
_LONGEST_BACKOFF = 60.0

FIRST_LOOKUP_SECONDS = 5.0
"""A job may be findable only a moment after it was accepted."""

NO_DOUBT: Mapping[str, object] = MappingProxyType({"doubt": None, "doubt_since": None, "doubt_count": 0})
"""The columns of an attempt whose provider's answers leave nothing to wait out."""


def first_check(provider: Provider, policy: Policy, *, accepted_at: float, plan: Plan = NOTHING_LEARNT) -> float:
    """Say when an accepted job is looked at first: after the time in which a webhook should come, if any.

    At its time-out at the latest, so that no job is given up without a look.
    """
    first_delay = min(4 * policy.poll_min, policy.poll_max)
    if capabilities(provider).calls_back:
        first_delay = policy.grace(provider)
    elif plan.learnt:
        first_delay = max(_planned_gap(plan, provider, policy, age=0), policy.poll_min)
    return accepted_at + min(first_delay, policy.job_timeout)


def can_be_asked_for(provider: Provider) -> bool:
    """Say whether a provider can be asked for a submission whose answer, and so its job's name, was lost."""
    return lookup_of(provider) in {Lookup.BY_NAME, Lookup.SEARCH}


def first_lookup(provider: Provider, policy: Policy, *, now: float) -> float:
    """Say when to look first for a submission whose outcome is unknown from now on."""
    return now + (FIRST_LOOKUP_SECONDS if can_be_asked_for(provider) else policy.confirm_wait)


def next_check(attempt: AttemptRow, policy: Policy, *, now: float, plan: Plan = NOTHING_LEARNT) -> float:
    """Say when to look again at a job that was found unfinished now.

    `plan` places the check where an end is likely. While nothing is learnt, and after a webhook that came before
    the end, the gap grows with the time since watching began, so that a video is found at most a fifth of its
    making late. The last look is at the time-out itself, or as soon after it as may be.
    """
    if plan.learnt and attempt.woken_at is None:
        gap = _planned_gap(plan, attempt.provider, policy, age=max(now - (attempt.accepted_at or now), 0))
    else:
        gap = max(now - _watched_since(attempt, policy, now=now), 0) / _AGE_PER_GAP
    jittered = gap * random.uniform(0.95, 1.05)  # noqa: S311 - spreads load, guards nothing
    due_at = now + min(max(jittered, policy.poll_min), policy.poll_max)
    deadline = (attempt.accepted_at or now) + policy.job_timeout
    return min(due_at, max(deadline, now + policy.poll_min))


def next_late_check(attempt: AttemptRow, policy: Policy, *, now: float) -> float | None:
    """Say when to look again at an attempt that was given up: ever more seldom, None after a day."""
    given_up_for = now - (attempt.finished_at or now)
    if given_up_for >= LATE_RESULT_SECONDS:
        return None
    return now + min(max(given_up_for / _AGE_PER_GAP, policy.poll_max), _LONGEST_LATE_GAP)


def retry_delay(tries: int, retry_after: float | None) -> float:
    """Give the exponential backoff after so many failed tries: a second, twice as long each time, a minute at most."""
    return max(min(2.0 ** (tries - 1), _LONGEST_BACKOFF), retry_after or 0)


def _planned_gap(plan: Plan, provider: Provider, policy: Policy, *, age: float) -> float:
    return plan.gap(age, price=capabilities(provider).check_price, longest=policy.poll_max)


def _watched_since(attempt: AttemptRow, policy: Policy, *, now: float) -> float:
    if attempt.woken_at is not None:
        return attempt.woken_at
    accepted_at = attempt.accepted_at or now
    return accepted_at + (policy.grace(attempt.provider) if capabilities(attempt.provider).calls_back else 0)
