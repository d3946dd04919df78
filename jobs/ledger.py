"""Set our own ledger of credits against what the providers report."""

from collections.abc import Iterator, Sequence

from schemas.names import Provider
from schemas.times import optional_rfc3339
from schemas.video import ProviderCredits
from store import credits
from store.credits import Entry, LedgerEntry
from store.transaction import Tx


def all_credits(tx: Tx) -> dict[Provider, ProviderCredits]:
    """Say for each provider what it reports, what we spent and got back, and what does not add up."""
    return {provider: summary(credits.ledger(tx, provider)) for provider in Provider}


def summary(ledger: Sequence[LedgerEntry]) -> ProviderCredits:
    """Sum up a ledger; pure. An entry's request was under way from `sent_at` to `at`."""
    counts = {kind: sum(entry.entry is kind for entry in ledger) for kind in Entry}
    reports = [entry for entry in ledger if entry.remaining is not None]
    newest = _newest(reports)
    return ProviderCredits(
        remaining=newest.remaining if newest else None,
        remaining_at=optional_rfc3339(newest.at if newest else None),
        spent=counts[Entry.SPENT],
        refunded=counts[Entry.REFUNDED],
        unknown=counts[Entry.UNKNOWN],
        unexplained=_unexplained(ledger, reports),
    )


def _newest(reports: Sequence[LedgerEntry]) -> LedgerEntry | None:
    """Of the reports whose requests overlapped the newest one, the lowest balance was the last."""
    if not reports:
        return None
    last = max(reports, key=lambda report: report.sent_at)
    return min((report for report in reports if report.at >= last.sent_at), key=_balance)


def _oldest(reports: Sequence[LedgerEntry]) -> LedgerEntry:
    """Of the reports whose requests overlapped the oldest one, the highest balance was the first."""
    first = min(reports, key=lambda report: report.at)
    return max((report for report in reports if report.sent_at <= first.at), key=_balance)


def _balance(report: LedgerEntry) -> int:
    return report.remaining or 0


def _unexplained(ledger: Sequence[LedgerEntry], reports: Sequence[LedgerEntry]) -> int:
    newest = _newest(reports)
    if newest is None:
        return 0
    oldest = _oldest(reports)
    moves = list(_moves(ledger, oldest, newest))
    gap = _balance(newest) - _balance(oldest) - sum(credits for credits, surely in moves if surely)
    doubtful = [credits for credits, surely in moves if not surely]
    return gap - min(max(gap, -doubtful.count(-1)), doubtful.count(1))


def _moves(ledger: Sequence[LedgerEntry], oldest: LedgerEntry, newest: LedgerEntry) -> Iterator[tuple[int, bool]]:
    """Tell what may have moved the balance between two reports: by how much, and whether it surely did.

    Which came first is not always known: a refund is in the balance before we hear of it, and of a submission
    that was proven without a report only the time of its request is known.
    """
    spent = {entry.attempt_id: entry for entry in ledger if entry.entry is Entry.SPENT}
    for entry in ledger:
        of = spent.get(entry.attempt_id, entry)
        if entry.entry is Entry.UNKNOWN or entry.at < oldest.sent_at or of.sent_at > newest.at:
            continue
        after_oldest = of.remaining is not None or of.sent_at > oldest.at
        if entry.entry is Entry.REFUNDED:
            yield 1, after_oldest and entry.at <= newest.sent_at
        elif entry is not oldest:
            yield -1, after_oldest and (entry.remaining is not None or entry.at < newest.sent_at)
