"""Mend what the store holds when the wall clock was put back: times that lie further ahead than anybody meant."""

from store import attempts, leases, outbox, providers
from store.transaction import Tx


def put_back(tx: Tx, seconds: float, *, now: float) -> None:
    """Bring near again what is due, paused or leased by a clock that was put back by so many seconds.

    Every process that saw the step may do it: what was brought near already is left alone.
    """
    attempts.bring_near(tx, seconds, now=now)
    providers.bring_near(tx, seconds, now=now)
    leases.bring_near(tx, seconds, now=now)
    outbox.bring_near(tx, now=now)
