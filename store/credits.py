"""The ledger of credits: what each attempt spent, got back, or left unknown, and what providers reported."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.names import Provider
from store.transaction import Tx


class Entry(StrEnum):
    """What happened to one credit of an attempt."""

    SPENT = "spent"
    REFUNDED = "refunded"
    UNKNOWN = "unknown"


class LedgerEntry(NamedTuple):
    """One entry; the request it came from was under way from `sent_at` to `at`."""

    attempt_id: str
    entry: Entry
    remaining: int | None
    sent_at: float
    at: float


class Following(NamedTuple):
    """An entry with its place in the ledger, and with what was spent on the same attempt."""

    seq: int
    entry: LedgerEntry
    spent: LedgerEntry


@dataclass(frozen=True, slots=True)
class Sums:
    """What the older part of a provider's ledger comes to.

    Up to `counted_seq` the entries are counted. Up to `folded_seq` it is also summed up by how much they moved the
    balance since the oldest report: `sure`, and how many may have been before it.
    """

    spent: int = 0
    refunded: int = 0
    unknown: int = 0
    counted_seq: int = 0
    folded_seq: int = 0
    sure: int = 0
    perhaps_spent: int = 0
    perhaps_refunded: int = 0


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
    """Enter one credit, once for each attempt and kind; no request ends before it began, whatever the clock did."""
    tx.execute(
        "INSERT INTO credits (provider, attempt_id, entry, remaining, sent_at, at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (attempt_id, entry) DO NOTHING",
        (provider, attempt_id, entry, remaining, min(sent_at, now), now),
    )
    tx.must_sync()


def strike_unknown(tx: Tx, attempt_id: str) -> None:
    """Take back that an attempt's credit is unknown: it has become known."""
    tx.lock("credit sums")
    struck = tx.execute(
        "DELETE FROM credits WHERE attempt_id = ? AND entry = 'unknown' RETURNING provider, seq", (attempt_id,)
    ).fetchone()
    if struck is not None:
        tx.execute("UPDATE credit_sums SET unknown = unknown - 1 WHERE provider = ? AND counted_seq >= ?", struck)


def sums(tx: Tx, provider: Provider) -> Sums:
    """Read what the older part of a provider's ledger comes to."""
    row = tx.execute(
        "SELECT spent, refunded, unknown, counted_seq, folded_seq, sure, perhaps_spent, perhaps_refunded"
        " FROM credit_sums WHERE provider = ?",
        (provider,),
    ).fetchone()
    return Sums() if row is None else Sums(*row)


def keep_sums(tx: Tx, provider: Provider, kept: Sums) -> None:
    """Keep what the older part of a provider's ledger comes to."""
    tx.execute(
        "INSERT INTO credit_sums (provider, spent, refunded, unknown, counted_seq, folded_seq, sure, perhaps_spent,"
        " perhaps_refunded) VALUES (:provider, :spent, :refunded, :unknown, :counted, :folded, :sure, :maybe, :back)"
        " ON CONFLICT (provider) DO UPDATE SET spent = :spent, refunded = :refunded, unknown = :unknown,"
        " counted_seq = :counted, folded_seq = :folded, sure = :sure, perhaps_spent = :maybe, perhaps_refunded = :back",
        {
            "provider": provider,
            "spent": kept.spent,
            "refunded": kept.refunded,
            "unknown": kept.unknown,
            "counted": kept.counted_seq,
            "folded": kept.folded_seq,
            "sure": kept.sure,
            "maybe": kept.perhaps_spent,
            "back": kept.perhaps_refunded,
        },
    )


def count_after(tx: Tx, provider: Provider, seq: int) -> Counter[Entry]:
    """Count the entries that follow a place in the ledger, by kind."""
    rows = tx.execute(
        "SELECT entry, COUNT(*) FROM credits WHERE provider = ? AND seq > ? GROUP BY entry", (provider, seq)
    ).fetchall()
    return Counter({Entry(entry): count for entry, count in rows})


def following(tx: Tx, provider: Provider, seq: int, *, limit: int) -> list[Following]:
    """Read the entries that follow a place in the ledger, in the order in which they were made."""
    rows = tx.execute(
        "SELECT later.seq, later.attempt_id, later.entry, later.remaining, later.sent_at, later.at,"
        " spent.remaining, spent.sent_at, spent.at FROM credits AS later"
        " LEFT JOIN credits AS spent ON spent.attempt_id = later.attempt_id AND spent.entry = 'spent'"
        " WHERE later.provider = ? AND later.seq > ? ORDER BY later.seq LIMIT ?",
        (provider, seq, limit),
    ).fetchall()
    return [_following(*row) for row in rows]


def _following(seq: int, attempt_id: str, entry: str, *columns: Any) -> Following:  # noqa: ANN401
    own, spent = columns[:3], columns[3:]
    written = LedgerEntry(attempt_id, Entry(entry), *own)
    return Following(seq, written, written if spent[1] is None else LedgerEntry(attempt_id, Entry.SPENT, *spent))


def first_reports(tx: Tx, provider: Provider) -> list[LedgerEntry]:
    """Read the reports whose requests overlapped the one that was answered first."""
    return _reports(
        tx,
        provider,
        "sent_at <= (SELECT at FROM credits WHERE provider = :provider AND remaining IS NOT NULL ORDER BY at LIMIT 1)"
        " AND sent_at >= (SELECT sent_at FROM credits WHERE provider = :provider AND remaining IS NOT NULL"
        " ORDER BY sent_at LIMIT 1)",
    )


def last_reports(tx: Tx, provider: Provider) -> list[LedgerEntry]:
    """Read the reports whose requests overlapped the one that was sent last."""
    return _reports(
        tx,
        provider,
        "at >= (SELECT sent_at FROM credits WHERE provider = :provider AND remaining IS NOT NULL"
        " ORDER BY sent_at DESC LIMIT 1)"
        " AND at <= (SELECT at FROM credits WHERE provider = :provider AND remaining IS NOT NULL"
        " ORDER BY at DESC LIMIT 1)",
    )


def _reports(tx: Tx, provider: Provider, condition: str) -> list[LedgerEntry]:
    # Bounded on both sides, though one says it all: of one bound PostgreSQL supposes that a third of all rows keep it,
    # and reads the whole table.
    rows = tx.execute(
        f"SELECT attempt_id, remaining, sent_at, at FROM credits"  # noqa: S608 - constant parts
        f" WHERE provider = :provider AND remaining IS NOT NULL AND {condition}",
        {"provider": provider},
    ).fetchall()
    return [LedgerEntry(attempt_id, Entry.SPENT, *rest) for attempt_id, *rest in rows]
