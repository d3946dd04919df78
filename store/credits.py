"""The ledger of credits: what each attempt spent, got back, or left unknown, and what providers reported."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.names import Provider
from store.transaction import Tx


class Entry(StrEnum):
    """What happened to one credit of an attempt."""

    SPENT = "spent"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry; the request it came from was under way from `sent_at` to `at`."""

    attempt_id: str
    entry: Entry
    remaining: int | None
    sent_at: float
    at: float


def enter(
    tx: Tx,
    provider: Provider,
    attempt_id: str,
    entry: Entry,
    *,
    sent_at: float,
    now: float,
    remaining: int | None = None,
) -> None:
    """Enter one credit, once for each attempt and kind."""
    tx.execute(
        "INSERT INTO credits (provider, attempt_id, entry, remaining, sent_at, at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (attempt_id, entry) DO NOTHING",
        (provider, attempt_id, entry, remaining, sent_at, now),
    )
    tx.must_sync()


def strike_unknown(tx: Tx, attempt_id: str) -> None:
    """Take back that an attempt's credit is unknown: it has become known."""
    tx.execute("DELETE FROM credits WHERE attempt_id = ? AND entry = 'unknown'", (attempt_id,))


def ledger(tx: Tx, provider: Provider) -> list[LedgerEntry]:
    """Read a provider's entries in the order in which they were made."""
    rows = tx.execute(
        "SELECT attempt_id, entry, remaining, sent_at, at FROM credits WHERE provider = ? ORDER BY seq", (provider,)
    ).fetchall()
    return [LedgerEntry(attempt_id, Entry(entry), *rest) for attempt_id, entry, *rest in rows]
