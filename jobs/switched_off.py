"""End the attempts of a provider that is switched off: nobody has its credentials any more, so nobody comes for them.

A provider counts as switched off while processes of a role live and none of them has announced it for a while. That
generators are all away says nothing: they may be back at once.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from jobs import overdue, refunds, settle, submit
from jobs.announced import ANNOUNCE_SECONDS, SWITCHED_OFF_SECONDS
from jobs.policy import OVERDUE_GRACE, Policy
from jobs.settle import AttemptFailed
from providers.registry import PROVIDERS
from schemas.names import ErrorCode, Provider
from store import open_attempts
from store.announcements import Role
from store.attempts import AttemptRow, AttemptState
from store.transaction import Tx
from store.unreadable import Kind, each_of_many

_LONGEST_STEP = 2 * ANNOUNCE_SECONDS
_AT_ONCE = 500
_MESSAGE = "it is switched off: no process has its credentials"


@dataclass(slots=True)
class Watch:
    """What one poller has seen of the announcements, by its own steady clock."""

    _last: dict[tuple[Role, Provider | None], float] = field(default_factory=dict)
    _silent: dict[tuple[Role, Provider | None], float] = field(default_factory=dict)
    _stepped_at: float | None = None

    def step(
        self, seen: dict[tuple[Role, Provider | None], float], *, at: float, removed: Collection[Provider] = ()
    ) -> set[tuple[Role, Provider]]:
        """Take a step with what is announced by now; say for which roles which providers are switched off.

        `removed` have open work, and this release does not know them: a newer one may, and announces them then.
        """
        names = [*PROVIDERS, *removed]
        elapsed = 0.0 if self._stepped_at is None else min(at - self._stepped_at, _LONGEST_STEP)
        self._stepped_at = at
        for role in Role:
            for name in (None, *names):
                key = (role, name)
                heard = seen.get(key) != self._last.get(key)
                self._silent[key] = 0.0 if heard else self._silent.get(key, 0.0) + elapsed
        self._last = dict(seen)
        return {
            (role, name)
            for role in Role
            for name in names
            if self._silent[role, None] <= _LONGEST_STEP
            and self._last.get((role, None)) is not None
            and self._silent[role, name] >= SWITCHED_OFF_SECONDS
        }


def end(tx: Tx, policy: Policy, off: Collection[tuple[Role, Provider]], *, now: float) -> int:
    """End what nobody will come for, a little at a time; say how many attempts were ended."""
    ended = 0
    for role, provider in sorted(off):
        left = open_attempts.unsent_of if role is Role.GENERATOR else open_attempts.sent_of
        found = left(tx, provider, now=now, limit=_AT_ONCE)
        parts = {attempt.id: partial(_end, tx, policy, attempt, now) for attempt in found}
        ended += sum(done is True for done in each_of_many(tx, Kind.ATTEMPT, parts, now=now))
    return ended


def _end(tx: Tx, policy: Policy, attempt: AttemptRow, now: float) -> bool:
    match attempt.state:
        case AttemptState.WAITING | AttemptState.CLAIMED:
            failing = AttemptFailed(ErrorCode.PROVIDER_UNAVAILABLE, _MESSAGE, refunds.NOT_CHARGED)
        case AttemptState.SENDING:
            submit.mark_outcome_unknown(
                tx, policy, attempt, f"the process that sent it is gone, and {_MESSAGE}", now=now
            )
            return True
        case AttemptState.UNCONFIRMED if now >= (attempt.doubt_since or 0) + policy.confirm_wait:
            failing = submit.unknown(f"{attempt.doubt}; {_MESSAGE}")
        case AttemptState.GENERATING if overdue.is_over(attempt, policy, at=now - OVERDUE_GRACE):
            failing = overdue.timed_out(policy)
        case _:
            return False
    return settle.fail(tx, policy, attempt, failing, now=now)
