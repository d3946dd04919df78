"""Mend what the store holds when the wall clock was put forward or back: times must tell how long ago things were."""

from store import attempts, circuits, clocks, due_attempts, open_attempts, outbox, pauses, providers
from store.attempts import AttemptRow
from store.transaction import Tx

SMALLEST_STEP = 2.0
"""Seconds; what is less is a clock being slewed, or a busy machine."""


def mend(tx: Tx, of_machine: str | None, *, step: float, ahead: float, now: float) -> float:
    """Mend the store once for each step of a machine's clock, whoever comes first; give the seconds of the step.

    `ahead` says by how much the wall clock leads the steady one; the store knows by how much it did when it was mended
    last. Where machines cannot be told apart, `step` is what this process saw itself, and only a clock that was put
    back is mended.
    """
    step = min(step, 0.0) if of_machine is None else _step(tx, of_machine, ahead)
    if step > 0:
        put_forward(tx, step, now=now)
    elif step < 0:
        put_back(tx, -step, now=now)
    return step


def _step(tx: Tx, of_machine: str, ahead: float) -> float:
    """Say by how many seconds a clock was put since the store was mended last, and note that it is mended."""
    before = clocks.ahead(tx, of_machine)
    if before is not None and abs(ahead - before) < SMALLEST_STEP:
        return 0.0
    tx.lock("clock")
    before = clocks.ahead(tx, of_machine)  # another process may have mended it before it let us
    if before is not None and abs(ahead - before) < SMALLEST_STEP:
        return 0.0
    clocks.keep(tx, of_machine, seconds=ahead)
    return 0.0 if before is None else ahead - before


def redated(tx: Tx, attempt: AttemptRow) -> AttemptRow:
    """Give an attempt as it was claimed, but with the times that were mended since."""
    current = attempts.get(tx, attempt.id)
    if current is None:
        return attempt
    return attempt._replace(accepted_at=current.accepted_at, doubt_since=current.doubt_since)


def put_forward(tx: Tx, seconds: float, *, now: float) -> None:
    """Keep what is open as old as it was before the clock was put forward by so many seconds."""
    open_attempts.put_forward(tx, seconds, now=now)
    circuits.put_forward(tx, seconds, now=now)
    pauses.put_forward(tx, seconds, now=now)


def put_back(tx: Tx, seconds: float, *, now: float) -> None:
    """Bring near again what is due, paused, tested or leased by a clock that was put back by so many seconds.

    Every process that saw the step may do it: what was brought near already is left alone.
    """
    due_attempts.bring_near(tx, seconds, now=now)
    circuits.bring_near(tx, seconds, now=now)
    pauses.put_back(tx, seconds, now=now)
    providers.bring_near(tx, seconds, now=now)
    outbox.bring_near(tx, now=now)
