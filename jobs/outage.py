"""What becomes of work that waits for a provider which takes none: it goes elsewhere, or waits until its deadline."""

from jobs import circuit, refunds, settle
from jobs.circuit import Gate
from jobs.policy import TRIES_BEFORE_ANOTHER, Policy
from jobs.schedule import retry_delay
from jobs.settle import AttemptFailed
from jobs.transitions import GIVE_UP_WAITING
from providers.registry import offers
from providers.reports import NotAcceptedYet
from schemas.names import ErrorCode, Motion, Provider
from schemas.times import clock
from store import attempts, circuits, open_attempts, videos
from store.attempts import AttemptRow
from store.transaction import Tx

LIMITED_BEFORE_ANOTHER = 15.0
"""Seconds for which a provider's limit is waited out while another provider is left that may make the video."""

LONGEST_LIMIT_PAUSE = 60.0
_WAITED_PER_PAUSE = 4

SORTED_AT_ONCE = 100
"""Few, because it runs beside everything else."""

LOOKED_AT_ONCE = 1000
_FIRST = (0.0, "")


def another_try(tx: Tx, policy: Policy, attempt: AttemptRow, answer: NotAcceptedYet, *, now: float) -> float | None:
    """Say when to submit again what was not accepted; None where the provider has had its chances.

    With another provider left to try it has few, and none while it is away and the other is not.
    """
    following = settle.following(tx, policy, attempt.video_id)
    if answer.throttled:
        return _after_limit(tx, policy, attempt, answer, following, now)
    tries = attempt.tries + 1
    most = policy.submit_attempts if following is None else min(policy.submit_attempts, TRIES_BEFORE_ANOTHER)
    if tries >= most or (following is not None and _is_better(tx, following, attempt.provider, now)):
        return None
    due_at = now + retry_delay(tries, answer.retry_after)
    return due_at if due_at <= waits_since(tx, attempt, now=now) + policy.submit_deadline else None


def _after_limit(
    tx: Tx, policy: Policy, attempt: AttemptRow, answer: NotAcceptedYet, following: Provider | None, now: float
) -> float | None:
    """Say when to submit again what met a limit: no try is used up, and the pauses grow with the time of waiting.

    A limit fails nobody before the deadline; where another provider may make the video, it does after a short while.
    """
    since = waits_since(tx, attempt, now=now)
    waited = max(now - since, 0.0)
    if following is not None and waited >= LIMITED_BEFORE_ANOTHER:
        return None
    due_at = now + max(min(waited / _WAITED_PER_PAUSE, LONGEST_LIMIT_PAUSE), answer.retry_after or 1.0)
    return due_at if due_at <= since + policy.submit_deadline else None


def waits_since(tx: Tx, attempt: AttemptRow, *, now: float) -> float:
    """Say since when an attempt that is turned away now has waited for its provider."""
    if attempt.doubt_since is not None:
        return attempt.doubt_since
    row = circuits.get(tx, attempt.provider)
    return max(row.opened_at or now, attempt.created_at or 0) if row.is_open else now


def _is_better(tx: Tx, other: Provider, than: Provider, now: float) -> bool:
    return circuit.gate(tx, than, now=now).room == 0 and circuit.gate(tx, other, now=now).room is None


def shut(tx: Tx, policy: Policy, *, now: float) -> bool:
    """Say whether any provider takes no work."""
    return any(circuit.gate(tx, provider, now=now).room == 0 for provider in policy.providers)


Places = dict[Provider, tuple[float, str]]
"""How far one process has looked through what waits for each provider, in the order of its turns."""


def sort_out(tx: Tx, policy: Policy, places: Places, *, now: float) -> int:
    """Take care of what waits for providers that take no work; say of how much.

    So much of it is looked at each time, however much waits: `places` says how far one came, and is brought forward.
    """
    gates = {provider: circuit.gate(tx, provider, now=now) for provider in policy.providers}
    willing = [provider for provider, found in gates.items() if found.room is None]
    return sum(
        _give_up(tx, policy, provider, found, now) + _move_on(tx, policy, provider, found, willing, places, now)
        for provider, found in gates.items()
        if found.room == 0
    )


def _give_up(tx: Tx, policy: Policy, provider: Provider, found: Gate, now: float) -> int:
    """Fail what has waited for the whole deadline, be it turned away or never asked about."""
    before = now - policy.submit_deadline
    late = open_attempts.turned_away(tx, provider, before=before, limit=SORTED_AT_ONCE)
    if found.since is not None and found.since <= before:
        late += open_attempts.waiting(tx, provider, due_before=before, limit=SORTED_AT_ONCE)
    message = f"waited {policy.submit_deadline:g} s; {describe(provider, found)}"
    return sum(_fail(tx, policy, attempt, message, now) for attempt in late)


def _move_on(
    tx: Tx, policy: Policy, provider: Provider, found: Gate, willing: list[Provider], places: Places, now: float
) -> int:
    if not willing:
        return 0
    motions = {motion for motion in Motion if any(offers(other, motion) for other in willing)}
    after = places.pop(provider, _FIRST)
    limits = {"looked_at": LOOKED_AT_ONCE, "limit": SORTED_AT_ONCE}
    movable = videos.movable(tx, provider, motions=motions, tried=willing, after=after, **limits)
    if movable.place is not None:
        places[provider] = movable.place
    message = describe(provider, found)
    waiting = [attempt for attempt_id in movable.attempt_ids if (attempt := attempts.get(tx, attempt_id))]
    return sum(_fail(tx, policy, attempt, message, now) for attempt in waiting)


def _fail(tx: Tx, policy: Policy, attempt: AttemptRow, message: str, now: float) -> bool:
    failing = AttemptFailed(ErrorCode.PROVIDER_UNAVAILABLE, message, refunds.NOT_CHARGED)
    return settle.fail(tx, policy, attempt, failing, now=now, step=GIVE_UP_WAITING)


def describe(provider: Provider, found: Gate) -> str:
    """Write why a provider takes no work, and since when."""
    since = clock(found.since or 0.0)
    if found.paused:
        return f"{provider} has been paused since {since} ({found.why})"
    return f"{provider} has been away since {since} ({found.why})"
