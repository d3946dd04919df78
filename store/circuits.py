"""The circuit breaker of each provider, shared by all processes."""

from collections.abc import Callable
from typing import NamedTuple

from schemas.names import Provider
from store.transaction import Tx

_LONGEST_PROBE_WAIT = 60.0
"""Nobody waits longer on purpose before a provider is tested, unless the provider itself asked for it."""


class CircuitRow(NamedTuple):
    """One provider's circuit; times in Unix seconds. It is open from `opened_at` until `closed_at`."""

    failures: int = 0
    reason: str | None = None
    opened_at: float | None = None
    closed_at: float | None = None
    probe_at: float = 0.0
    probe_attempt: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether its provider is away."""
        return self.opened_at is not None and self.closed_at is None


_COLUMNS = ", ".join(CircuitRow._fields)


def get(tx: Tx, provider: Provider) -> CircuitRow:
    """Read a provider's circuit; closed where nothing ever failed."""
    return ask(tx, provider)()


def ask(tx: Tx, provider: Provider) -> Callable[[], CircuitRow]:
    """Ask for a provider's circuit, and give what reads the answer: several questions can go in one trip."""
    rows = tx.execute(f"SELECT {_COLUMNS} FROM circuits WHERE provider = ?", (provider,))  # noqa: S608 - constant columns

    def read() -> CircuitRow:
        found = rows.fetchone()
        return CircuitRow() if found is None else CircuitRow(*found)

    return read


def held(tx: Tx, provider: Provider) -> CircuitRow:
    """Read a provider's circuit to change it: until this transaction's end nobody else can do so."""
    tx.lock(f"circuit of {provider}")
    return get(tx, provider)


def put(tx: Tx, provider: Provider, row: CircuitRow) -> None:
    """Store a provider's circuit."""
    tx.execute(
        f"INSERT INTO circuits (provider, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant columns
        " ON CONFLICT (provider) DO UPDATE SET failures = excluded.failures, reason = excluded.reason,"
        " opened_at = excluded.opened_at, closed_at = excluded.closed_at, probe_at = excluded.probe_at,"
        " probe_attempt = excluded.probe_attempt",
        (provider, *row),
    )


def put_forward(tx: Tx, seconds: float, *, now: float) -> None:
    """Move the beginning of open circuits forward by so many seconds, if they opened before that step of the clock."""
    tx.execute(
        "UPDATE circuits SET opened_at = opened_at + :seconds WHERE closed_at IS NULL AND opened_at <= :before",
        {"seconds": seconds, "before": now - seconds},
    )


def bring_near(tx: Tx, seconds: float, *, now: float) -> None:
    """Make the test of a provider due at once where it would wait until a clock that was put back has caught up."""
    tx.execute(
        "UPDATE circuits SET probe_at = CASE WHEN probe_at > :now + :seconds THEN probe_at - :seconds ELSE :now END,"
        " opened_at = CASE WHEN opened_at > :now THEN opened_at - :seconds ELSE opened_at END"
        " WHERE closed_at IS NULL AND (probe_at > :now + :seconds OR probe_at > :now + :longest OR opened_at > :now)",
        {"seconds": seconds, "now": now, "longest": _LONGEST_PROBE_WAIT},
    )
