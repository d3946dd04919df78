"""What a poller's checks teach is stored some at a time, and is not lost while the store is away."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from jobs import accept, assignment, check_claims, learning, submission_claims, submit
from jobs import clock as clock_rules
from jobs.durations import Plan
from jobs.policy import Policy
from poller.checking import Checker
from process.clock import ClockWatch
from providers.parsing.webhook_hints import read_webhook
from providers.reports import Accepted, Handle, Ready, Report
from schemas.names import Provider, ProviderChoice
from store import sqlite
from store.attempts import AttemptRow
from store.database import Store, StoreUnavailable
from store.transaction import Tx
from tests.store.test_unavailable import IMPATIENT, locked
from tests.support.job_scenario import REQUEST
from tests.support.stores import url_of

HOMEDESIGNS = Provider("homedesigns")
POLICY = Policy()
ACCEPTED_AT = 1_000_000.0


class Done:
    """A provider that has finished everything."""

    name = HOMEDESIGNS

    async def check(self, job: Handle) -> Report:
        """Find it ready."""
        return Ready((f"https://cdn.example/{job.id}.mp4",))


def claimed(tx: Tx, count: int) -> list[AttemptRow]:
    """Have a provider accept some videos, and claim their checks."""
    for _ in range(count):
        accept.accept(tx, replace(REQUEST, choice=ProviderChoice("homedesigns")), str, now=ACCEPTED_AT)
    assignment.route(tx, POLICY, now=ACCEPTED_AT)
    for attempt, _ in submission_claims.claim(
        tx, POLICY, HOMEDESIGNS, owner="generator", room=count, now=ACCEPTED_AT
    ).work:
        submit.send(tx, attempt.id, owner="generator", now=ACCEPTED_AT)
        submit.accepted(tx, POLICY, attempt, Accepted(attempt.id), sent_at=ACCEPTED_AT, now=ACCEPTED_AT)
    return check_claims.claim(tx, POLICY, HOMEDESIGNS, owner="poller", room=count, now=ACCEPTED_AT + 60).work


async def unasked(*_: object) -> NoReturn:
    """Prove nothing: the policy does not ask for it."""
    raise AssertionError


async def test_lessons_wait_for_the_store_and_are_learnt_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", IMPATIENT)
    path = tmp_path / "reelbus.db"
    store = await Store.open(url_of(path))
    clock = ClockWatch(store.write, clock_rules.mend)
    checker = Checker(store, POLICY, "poller", read_webhook, unasked, clock)
    for attempt in await store.write(claimed, 5):
        assert await checker.check(Done(), attempt)  # type: ignore[arg-type]  # a client as far as checking goes
    assert await store.read(learning.plan, HOMEDESIGNS) == Plan()

    with locked(path), pytest.raises(StoreUnavailable):
        await checker.store_lessons()
    await checker.store_lessons()
    await checker.store_lessons()

    learnt = await store.read(learning.plan, HOMEDESIGNS)
    await store.close()
    assert sum(learnt.weights) == pytest.approx(5, rel=0.05)
