"""Providers that an operator has paused: they get no new submissions until they are resumed."""

from collections.abc import Callable
from typing import NamedTuple

from schemas.names import Provider
from store.transaction import Tx


class Pause(NamedTuple):
    """Since when a provider is paused, in Unix seconds, and the name of the API key that asked for it."""

    since: float
    caller: str


def get(tx: Tx, provider: Provider) -> Pause | None:
    """Read a provider's pause; None where it is not paused."""
    return ask(tx, provider)()


def ask(tx: Tx, provider: Provider) -> Callable[[], Pause | None]:
    """Ask for a provider's pause, and give what reads the answer: several questions can go in one trip."""
    rows = tx.execute("SELECT since, caller FROM pauses WHERE provider = ?", (provider,))

    def read() -> Pause | None:
        found = rows.fetchone()
        return None if found is None else Pause(*found)

    return read


def begin(tx: Tx, provider: Provider, *, caller: str, now: float) -> bool:
    """Pause a provider; say whether it was not paused yet."""
    begun = tx.execute(
        "INSERT INTO pauses (provider, since, caller) VALUES (?, ?, ?) ON CONFLICT (provider) DO NOTHING",
        (provider, now, caller),
    )
    return begun.rowcount == 1


def end(tx: Tx, provider: Provider) -> bool:
    """Resume a provider; say whether it was paused."""
    return tx.execute("DELETE FROM pauses WHERE provider = ?", (provider,)).rowcount == 1


def put_forward(tx: Tx, seconds: float, *, now: float) -> None:
    """Move the beginning of pauses forward by so many seconds, if they began before that step of the clock."""
    tx.execute(
        "UPDATE pauses SET since = since + :seconds WHERE since <= :before",
        {"seconds": seconds, "before": now - seconds},
    )


def put_back(tx: Tx, seconds: float, *, now: float) -> None:
    """Have pauses be since so many seconds earlier that a clock which was put back left in the future."""
    tx.execute("UPDATE pauses SET since = since - :seconds WHERE since > :now", {"seconds": seconds, "now": now})
