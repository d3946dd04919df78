"""Our own entries explain the provider's balance whatever overlapped; what they do not explain is shown, not hidden."""

from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from jobs import ledger
from schemas.names import Provider
from schemas.video import ProviderCredits
from store import credits
from store.credits import Entry, LedgerEntry
from store.transaction import Tx
from tests.support.job_scenario import FAILED, READY, JobScenario
from tests.support.stores import emptied, in_memory, transact

PURSE = 100


@dataclass(frozen=True)
class BookedJob:
    """When the provider took a credit for a job and gave it back, and when we were told."""

    sent_at: int
    booked_at: int
    answered_at: int
    reports: bool
    refunded_at: int | None
    noted_at: int


@st.composite
def jobs(draw: st.DrawFn) -> BookedJob:
    sent_at = draw(st.integers(0, 60))
    booked_at = sent_at + draw(st.integers(0, 10))
    answered_at = booked_at + draw(st.integers(0, 10))
    refunded_at = draw(st.none() | st.integers(1, 30).map(lambda after: booked_at + after))
    noted_at = max(answered_at, refunded_at or 0) + draw(st.integers(0, 20))
    return BookedJob(sent_at, booked_at, answered_at, draw(st.booleans()), refunded_at, noted_at)


def balances(told: list[BookedJob], external: list[int]) -> list[int]:
    """Work out what the provider's balance was right after it booked each job."""
    moves = [(time, 2, -1, None) for time in external]
    for place, job in enumerate(told):
        moves.append((job.booked_at, 1, -1, place))  # type: ignore[arg-type]  # the place of whom it is told
        if job.refunded_at is not None:
            moves.append((job.refunded_at, 0, +1, None))
    balance, after = PURSE, [0] * len(told)
    for _, _, change, whose in sorted(moves, key=lambda move: move[:2]):
        balance += change
        if whose is not None:
            after[whose] = balance
    return after


def entries(told: list[BookedJob], external: list[int] | None = None) -> list[LedgerEntry]:
    """Write the ledger as it stands when everything is known."""
    written = []
    for number, (job, balance) in enumerate(zip(told, balances(told, external or []), strict=True)):
        remaining = balance if job.reports else None
        name = f"attempt-{number}"
        written.append(LedgerEntry(name, Entry.SPENT, remaining, job.sent_at, job.answered_at))
        if job.refunded_at is not None:
            written.append(LedgerEntry(name, Entry.REFUNDED, None, job.noted_at, job.noted_at))
    return sorted(written, key=lambda entry: entry.at)


STORE = in_memory()
LONGEST = 60.0
"""Longer than any request of these tests takes."""


def enter(tx: Tx, entry: LedgerEntry) -> None:
    credits.enter(
        tx, Provider("iacrea"), entry.attempt_id, entry.entry,
        sent_at=entry.sent_at, now=entry.at, remaining=entry.remaining,
    )  # fmt: skip


def summary(written: list[LedgerEntry]) -> ProviderCredits:
    """Enter a ledger, and read what it comes to."""
    emptied(STORE)
    for entry in written:
        transact(STORE, enter, entry)
    return transact(STORE, ledger.all_credits)[Provider("iacrea")]


def summary_folded_meanwhile(written: list[LedgerEntry], limit: int) -> ProviderCredits:
    """Do the same, but sum up what is old after each entry."""
    emptied(STORE)
    for entry in written:
        transact(STORE, enter, entry)
        transact(STORE, ledger.fold, Provider("iacrea"), now=entry.at, limit=limit, longest_request=LONGEST)
    return transact(STORE, ledger.all_credits)[Provider("iacrea")]


TIED = [
    *(BookedJob(0, 0, 0, reports=False, refunded_at=at, noted_at=1) for at in (1, None, None, None)),
    BookedJob(2, 2, 2, reports=True, refunded_at=None, noted_at=2),
    BookedJob(0, 2, 2, reports=True, refunded_at=None, noted_at=2),
]
"""Two reports of one balance whose requests overlapped: which was first is anybody's guess."""


@given(st.lists(jobs(), max_size=8))
@example(TIED)
@example(TIED[::-1])
def test_a_purse_that_only_we_use_adds_up_however_requests_and_refunds_overlapped(told: list[BookedJob]) -> None:
    assert summary(entries(told)).unexplained == 0


@given(st.integers(0, 5), st.integers(0, 3), st.integers(1, 6))
def test_what_somebody_else_spent_between_quiet_times_is_shown(before: int, between: int, after: int) -> None:
    def quiet(start: int, count: int) -> list[BookedJob]:
        return [BookedJob(at, at, at, True, None, at) for at in range(start, start + count)]  # noqa: FBT003 - it reports

    told = quiet(0, before + 1) + quiet(100, after)
    assert summary(entries(told, external=[50] * between)).unexplained == -between


@given(st.lists(st.tuples(jobs(), st.integers(0, 6)), max_size=12), st.lists(st.integers(0, 900), max_size=3))
def test_a_ledger_whose_older_part_is_summed_up_says_the_same(
    told: list[tuple[BookedJob, int]], external: list[int]
) -> None:
    written = entries([later(job, by=150 * rounds) for job, rounds in told], external)
    assert summary_folded_meanwhile(written, limit=2) == summary(written)


def later(job: BookedJob, *, by: int) -> BookedJob:
    refunded_at = None if job.refunded_at is None else job.refunded_at + by
    return BookedJob(
        job.sent_at + by, job.booked_at + by, job.answered_at + by, job.reports, refunded_at, job.noted_at + by
    )


def test_an_unknown_credit_that_becomes_known_after_it_was_summed_up_is_struck_from_the_sum(desk: JobScenario) -> None:
    desk.do(credits.enter, Provider("iacrea"), "a", Entry.UNKNOWN, sent_at=desk.now, now=desk.now)
    desk.now += ledger.LONGEST_REQUEST + 1
    assert desk.do(ledger.fold, Provider("iacrea"), now=desk.now, limit=10) == 1
    assert desk.credits().unknown == 1
    desk.do(credits.strike_unknown, "a")
    assert desk.credits().unknown == 0


def test_a_report_that_came_after_the_clock_was_put_back_is_counted_like_any_other() -> None:
    reports = [LedgerEntry("a", Entry.SPENT, 9, 3600, 1), LedgerEntry("b", Entry.SPENT, 8, 2, 3)]
    found = summary(reports)
    assert (found.remaining, found.spent, found.unexplained) == (8, 2, 0)
    assert summary(reports[:1]).remaining == 9


def test_credits_that_somebody_bought_are_shown() -> None:
    reports = [LedgerEntry("a", Entry.SPENT, 5, 0, 1), LedgerEntry("b", Entry.SPENT, 104, 10, 11)]
    assert summary(reports).unexplained == 100


def test_of_parallel_submissions_the_lowest_balance_is_the_last_word(desk: JobScenario) -> None:
    first, second = desk.sending(), desk.sending()
    desk.now += 1
    desk.accept(second, job="2", remaining=8)
    desk.accept(first, job="1", remaining=9)
    credits = desk.credits()
    assert (credits.remaining, credits.spent, credits.unexplained) == (8, 2, 0)


def test_a_refund_that_the_balance_shows_before_we_hear_of_it_is_not_a_gift(desk: JobScenario) -> None:
    first = desk.generating(remaining=9)
    desk.now += 60
    desk.generating(job="2", remaining=9)
    assert desk.credits().unexplained == 1
    desk.checked(first, FAILED)
    assert (desk.credits().refunded, desk.credits().unexplained) == (1, 0)
    desk.now += 1
    desk.generating(job="3", remaining=8)
    assert desk.credits().unexplained == 0


def test_a_refund_that_was_promised_and_never_booked_is_missed(desk: JobScenario) -> None:
    first = desk.generating(remaining=9)
    desk.checked(first, FAILED)
    desk.now += 60
    desk.generating(job="2", remaining=8)
    assert desk.credits().unexplained == -1


def test_a_submission_that_nobody_answered_for_is_missed_until_it_is_proven(desk: JobScenario) -> None:
    desk.generating(remaining=9)
    lost = desk.unconfirmed()
    desk.now += 5
    desk.generating(job="3", remaining=7)
    assert desk.credits().unexplained == -1
    desk.accept(lost, job="2")
    assert (desk.credits().spent, desk.credits().unexplained) == (3, 0)


def test_a_submission_proven_after_the_first_report_may_have_been_before_it(desk: JobScenario) -> None:
    lost = desk.unconfirmed()
    desk.now += 5
    desk.generating(job="2", remaining=8)
    desk.now += 5
    desk.accept(lost, job="1")
    assert (desk.credits().spent, desk.credits().unexplained) == (2, 0)


def test_accepted_jobs_are_counted_though_their_provider_tells_no_balance(desk: JobScenario) -> None:
    attempt = desk.generating(Provider("homedesigns"))
    desk.checked(attempt, READY)
    assert desk.credits(Provider("homedesigns")).model_dump() == {
        "remaining": None, "remaining_at": None, "spent": 1, "refunded": 0, "unknown": 0, "unexplained": 0,
    }  # fmt: skip


def test_nothing_adds_up_to_nothing(desk: JobScenario) -> None:
    assert desk.credits().model_dump() == {
        "remaining": None, "remaining_at": None, "spent": 0, "refunded": 0, "unknown": 0, "unexplained": 0,
    }  # fmt: skip
