"""Reconciliation: set our own ledger of credits against what the providers report.

What is older than `LONGEST_REQUEST` is summed up by `fold` and not read again, so that an answer takes no longer
the more credits were ever spent.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from jobs.shown import shown_providers
from providers.registry import PROVIDERS
from schemas.names import Provider
from schemas.times import optional_rfc3339
from schemas.video import ProviderCredits
from store import credits
from store.credits import Entry, Following, LedgerEntry, Sums
from store.transaction import Tx

LONGEST_REQUEST = 900.0
"""Seconds after which an answer is not expected any more: what is older than that before a report was before it."""

_READ_AT_MOST = 20_000
"""How many entries are looked at that are not summed up yet; more there are only if reports stop coming."""


class _Span(NamedTuple):
    """The reports between which a balance is explained."""

    oldest: LedgerEntry
    newest: LedgerEntry


class _Move(NamedTuple):
    """By how much an entry moved the balance between two reports, and whether it surely did."""

    credits: int
    surely: bool


def all_credits(tx: Tx) -> dict[Provider, ProviderCredits]:
    """Say for each provider what it reports, what we spent and got back, and what does not add up."""
    return {provider: _credits(tx, provider) for provider in PROVIDERS}


def shown_credits(tx: Tx, enabled: Collection[Provider]) -> dict[Provider, ProviderCredits]:
    """Say the same of each provider that an overview shows."""
    return {provider: _credits(tx, provider) for provider in shown_providers(tx, enabled)}


def fold(tx: Tx, provider: Provider, *, now: float, limit: int, longest_request: float = LONGEST_REQUEST) -> int:
    """Sum up the next `limit` entries that nothing can change any more; say how many there were."""
    tx.lock("credit sums")  # so that no entry is struck between being counted here and the sum being kept
    before = credits.sums(tx, provider)
    sums, counted = _count(tx, provider, before, older_than=now - longest_request, limit=limit)
    sums, moved = _fold_moves(tx, provider, sums, longest_request=longest_request, limit=limit)
    if counted or moved:
        credits.keep_sums(tx, provider, sums)
    return max(counted, moved)


def _credits(tx: Tx, provider: Provider) -> ProviderCredits:
    sums = credits.sums(tx, provider)
    recent = credits.count_after(tx, provider, sums.counted_seq)
    span = _span(tx, provider)
    return ProviderCredits(
        remaining=span.newest.remaining if span else None,
        remaining_at=optional_rfc3339(span.newest.at if span else None),
        spent=sums.spent + recent[Entry.SPENT],
        refunded=sums.refunded + recent[Entry.REFUNDED],
        unknown=sums.unknown + recent[Entry.UNKNOWN],
        unexplained=_unexplained(tx, provider, sums, span) if span else 0,
    )


def _span(tx: Tx, provider: Provider) -> _Span | None:
    """Find the first and the last report.

    Of those whose requests overlapped the oldest one, the highest balance was the first; of those that overlapped
    the newest one, the lowest was the last. Among equals the span is the longest.
    """
    first, last = credits.first_reports(tx, provider), credits.last_reports(tx, provider)
    if not first or not last:
        return None
    return _Span(
        max(first, key=lambda report: (_balance(report), -report.sent_at, -report.at)),
        min(last, key=lambda report: (_balance(report), -report.at, -report.sent_at)),
    )


def _balance(report: LedgerEntry) -> int:
    return report.remaining or 0


def _unexplained(tx: Tx, provider: Provider, sums: Sums, span: _Span) -> int:
    entries = credits.following(tx, provider, sums.folded_seq, limit=_READ_AT_MOST)
    total = _added(sums, _moves(entries, span))
    gap = _balance(span.newest) - _balance(span.oldest) - total.sure
    return gap - min(max(gap, -total.perhaps_spent), total.perhaps_refunded)


def _count(tx: Tx, provider: Provider, sums: Sums, *, older_than: float, limit: int) -> tuple[Sums, int]:
    found = credits.following(tx, provider, sums.counted_seq, limit=limit)
    old = list(takewhile(lambda following: following.entry.at < older_than, found))
    if not old:
        return sums, 0
    kinds = [following.entry.entry for following in old]
    added = replace(
        sums,
        spent=sums.spent + kinds.count(Entry.SPENT),
        refunded=sums.refunded + kinds.count(Entry.REFUNDED),
        unknown=sums.unknown + kinds.count(Entry.UNKNOWN),
        counted_seq=old[-1].seq,
    )
    return added, len(old)


def _fold_moves(tx: Tx, provider: Provider, sums: Sums, *, longest_request: float, limit: int) -> tuple[Sums, int]:
    """Sum up the moves before the newest report, once no report can come any more that is older than the oldest."""
    span = _span(tx, provider)
    if span is None or span.newest.sent_at <= span.oldest.at + longest_request:
        return sums, 0
    found = credits.following(tx, provider, sums.folded_seq, limit=limit)
    settled = span.newest.sent_at - longest_request
    old = list(takewhile(lambda following: following.entry.at < settled, found))
    if not old:
        return sums, 0
    return replace(_added(sums, _moves(old, span)), folded_seq=old[-1].seq), len(old)


def _added(sums: Sums, moves: Iterable[_Move]) -> Sums:
    of = list(moves)
    return replace(
        sums,
        sure=sums.sure + sum(move.credits for move in of if move.surely),
        perhaps_spent=sums.perhaps_spent + of.count(_Move(-1, surely=False)),
        perhaps_refunded=sums.perhaps_refunded + of.count(_Move(1, surely=False)),
    )


def _moves(entries: Sequence[Following], span: _Span) -> Iterator[_Move]:
    """Tell what may have moved the balance between two reports.

    Which came first is not always known: a refund is in the balance before we hear of it, and of a submission
    that was proven without a report only the time of its request is known.
    """
    oldest, newest = span
    for _, entry, spent in entries:
        if entry.entry is Entry.UNKNOWN or entry.at < oldest.sent_at or spent.sent_at > newest.at:
            continue
        after_oldest = spent.remaining is not None or spent.sent_at > oldest.at
        if entry.entry is Entry.REFUNDED:
            yield _Move(1, surely=after_oldest and entry.at <= newest.sent_at)
        elif entry.attempt_id != oldest.attempt_id:
            yield _Move(-1, surely=after_oldest and (entry.remaining is not None or entry.at < newest.sent_at))
