"""A commit whose answer is lost may be stored or not; whoever is told does the same again, and nothing is done twice.

So each piece of durable work is done twice here, and what was stored by then must be as after the first time.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from jobs import accept, check, submit
from jobs.accept import AcceptedVideo, BudgetExhausted, KeyConflict
from providers.reports import Accepted, NotAcceptedYet, Refused, Report
from schemas.names import ErrorCode, Provider
from store import outbox
from store.attempts import AttemptRow
from store.transaction import Tx
from tests.support.job_scenario import FAILED, GENERATOR, POLLER, READY, REQUEST, JobScenario

Work = Callable[[Tx], object]


def an_answer(answer: object, step: Callable[..., object], **more: object) -> Callable[[JobScenario], Work]:
    def make(desk: JobScenario) -> Work:
        attempt = desk.sending()
        return partial(step, policy=desk.policy, attempt=attempt, answer=answer, now=desk.now, **more)

    return make


def a_sending(desk: JobScenario) -> Work:
    attempt = desk.claimed()
    return partial(submit.send, attempt_id=attempt.id, owner=GENERATOR, now=desk.now)


def an_unknown_outcome(desk: JobScenario) -> Work:
    attempt = desk.sending(Provider("homedesigns"))
    return partial(submit.mark_outcome_unknown, policy=desk.policy, attempt=attempt, message="no answer", now=desk.now)


def a_report(report: Report) -> Callable[[JobScenario], Work]:
    def make(desk: JobScenario) -> Work:
        claimed = desk.wait_until_due(desk.generating())
        return partial(check.apply, policy=desk.policy, attempt=claimed, report=report, owner=POLLER, now=desk.now)

    return make


def a_publication(desk: JobScenario) -> Work:
    desk.generating()
    (event,) = desk.do(outbox.sendable, now=desk.now, limit=10)
    return partial(outbox.mark_published, seqs=[event.seq], now=desk.now)


REFUSED = Refused(ErrorCode.REQUEST_REJECTED, "no")
WORK = {
    "the intent to send": a_sending,
    "an acceptance": an_answer(Accepted("job-1", remaining=7), submit.accepted, sent_at=0.0),
    "an acceptance with the result": an_answer(Accepted("job-1", 7, READY), submit.accepted, sent_at=0.0),
    "a try that was not accepted": an_answer(NotAcceptedYet("busy"), submit.not_accepted, owner=GENERATOR),
    "a refusal": an_answer(REFUSED, submit.refused, owner=GENERATOR),
    "an unknown outcome": an_unknown_outcome,
    "a result": a_report(READY),
    "a failure with its refund": a_report(FAILED),
    "a publication": a_publication,
}


@pytest.mark.parametrize("make", WORK.values(), ids=WORK)
def test_what_is_done_again_after_it_was_stored_changes_nothing(
    desk: JobScenario, make: Callable[[JobScenario], Work]
) -> None:
    work = make(desk)
    desk.do(work)
    once = stored(desk)
    desk.do(work)
    assert stored(desk) == once


def stored(desk: JobScenario) -> tuple[object, ...]:
    """Read what anybody could notice: every event, the credits, the attempts, and what waits to be published."""
    waiting = [event.event_id for event in desk.do(outbox.sendable, now=desk.now, limit=100)]
    tables = ("attempts", "videos", "outbox", "credits", "history")
    rows = [sorted(map(repr, desk.do(_rows, table))) for table in tables]
    return desk.bodies(), desk.credits(), waiting, rows


def _rows(tx: Tx, table: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in tx.execute(f"SELECT * FROM {table}").fetchall()]  # noqa: S608 - our own tables


def test_a_request_with_a_key_that_is_made_again_is_the_same_video_and_counts_once(desk: JobScenario) -> None:
    new = replace(REQUEST, idempotency_key="k", budget=1)

    def ask() -> AcceptedVideo | KeyConflict | BudgetExhausted:
        return desk.do(accept.accept, new, lambda video: f"https://us.example/{video}", now=desk.now)

    first, again = ask(), ask()
    assert isinstance(first, AcceptedVideo)
    assert isinstance(again, AcceptedVideo)
    assert (first.created, again.created) == (True, False)
    assert first.video.id == again.video.id


def test_a_webhook_that_is_recorded_twice_makes_one_check(desk: JobScenario) -> None:
    attempt: AttemptRow = desk.generating()
    for _ in range(2):
        desk.webhook(attempt)
    assert [found.id for found in desk.due()] == [attempt.id]
