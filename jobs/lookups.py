"""The search at the provider for a submission whose answer was lost.

By our own name for it: what is found goes on; what is not found three times, the last time 65 seconds after its
outcome became unknown, was certainly not accepted, and is sent again under the same name. By searching: only what is
found proves anything, and what is not found is never sent again.
"""

from jobs import cancelling, clock, schedule, submit, unconfirmed
from jobs.policy import Policy
from jobs.transitions import KEEP_WAITING, RELEASED_LEASE, SEND_AGAIN, apply_transition
from providers.capabilities import Lookup
from providers.registry import lookup_of
from providers.reports import NotAcceptedYet, NotFound
from store import attempts, history
from store.attempts import AttemptRow, AttemptState
from store.transaction import Tx

ABSENCES = 3
"""How often a provider must not know a submission by its name."""

ABSENT_SECONDS = 65.0
"""How long after its outcome became unknown the last of them must be: a job may be findable only a while later."""

_LOOKS = (schedule.FIRST_LOOKUP_SECONDS, 35.0, ABSENT_SECONDS)
"""When they are made, in the same seconds."""


def not_found(tx: Tx, policy: Policy, attempt: AttemptRow, answer: NotFound, *, owner: str, now: float) -> None:
    """Note that a provider does not know a submission; where that proves that it took none, send it again."""
    current = attempts.get(tx, attempt.id)
    if current is None or current.state is not AttemptState.UNCONFIRMED or current.lease_owner != owner:
        return
    if lookup_of(attempt.provider) is not Lookup.BY_NAME:
        retry_lookup(tx, policy, attempt, owner=owner, now=now)
        return
    absences = current.absences + 1
    since = now if current.doubt_since is None else current.doubt_since
    if absences >= ABSENCES and now >= since + ABSENT_SECONDS:
        _send_again(tx, policy, current, answer, owner=owner, now=now)
        return
    due_at = max(since + _LOOKS[min(absences, ABSENCES - 1)], now + policy.poll_min)
    columns = {"due_at": due_at, "absences": absences}
    apply_transition(tx, KEEP_WAITING, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner)


def _send_again(tx: Tx, policy: Policy, attempt: AttemptRow, answer: NotFound, *, owner: str, now: float) -> None:
    message = f"not found {attempt.absences + 1} times by its name: {answer.message}"
    history.note(tx, attempt.video_id, "certainly not accepted", now=now, attempt=attempt.number, detail=message)
    if cancelling.end_absent(tx, policy, attempt, now=now):
        return
    submit.not_accepted(tx, policy, attempt, NotAcceptedYet(message), owner=owner, now=now, step=SEND_AGAIN)


def retry_lookup(tx: Tx, policy: Policy, attempt: AttemptRow, *, owner: str, now: float) -> None:
    """Look again later, ever more seldom, or give the submission up as unknown when the wait is over."""
    noted = clock.redated(tx, attempt).doubt_since
    since = now if noted is None else noted
    deadline = since + max(policy.confirm_wait, ABSENT_SECONDS + policy.poll_max)
    if now >= deadline:
        message = attempt.doubt or "the provider does not know it"
        unconfirmed.fail_unconfirmed(tx, policy, attempt, message, now=now)
        return
    gap = min(max((now - since) / 2, policy.poll_min), policy.poll_max)
    columns = {"due_at": min(now + gap, deadline)}
    apply_transition(tx, KEEP_WAITING, attempt.id, {**columns, **RELEASED_LEASE}, owner=owner)
