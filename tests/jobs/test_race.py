"""Of any number of finishers of one attempt, in any order, on any handle of the store, exactly one ends it."""

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import accept, assignment, check, check_claims, overdue, settle, submit, unconfirmed
from jobs.accept import AcceptedVideo
from jobs.policy import Policy
from jobs.settle import AttemptFailed
from providers.reports import Accepted, Doubtful, Failed, Handle, Ready, Report, UnknownJob, Working
from schemas.names import ErrorCode, Provider, RefundStatus
from schemas.video import Refund
from store import attempts, outbox, videos
from store import webhooks as stored_webhooks
from store.attempts import AttemptRow
from store.database import Store
from store.transaction import Tx
from store.webhooks import Delivery
from tests.support.job_scenario import REQUEST, START
from tests.support.stores import in_memory, transact, url_of

POLICY = replace(Policy(), rates={Provider("iacrea"): 1e6, Provider("homedesigns"): 1e6})
CLIP = ("https://cdn.example/v.mp4",)
LOST = AttemptFailed(ErrorCode.SUBMISSION_UNKNOWN, "lost", Refund(status=RefundStatus.UNKNOWN, credits=None))
JOB = "one job"

Finisher = Callable[[Tx, AttemptRow], None]


def begin(tx: Tx, now: float) -> AttemptRow:
    """Make a video whose attempt is being asked about by `poller-1`, as it was claimed."""
    answer = accept.accept(tx, REQUEST, str, now=now)
    assert isinstance(answer, AcceptedVideo)
    assignment.route(tx, POLICY, now=now)
    [attempt] = attempts.of_videos(tx, [answer.video.id])[answer.video.id]
    columns = {"provider_job_id": f"job of {attempt.id}", "accepted_at": now, "submitted_at": now, "due_at": now}
    tx.execute(
        "UPDATE attempts SET state = 'generating', provider_job_id = :provider_job_id, accepted_at = :accepted_at,"
        " submitted_at = :submitted_at, due_at = :due_at, lease_owner = 'poller-1', lease_until = :due_at + 10"
        " WHERE id = :id",
        {**columns, "id": attempt.id},
    )
    current = attempts.get(tx, attempt.id)
    assert current is not None
    return current


def learns(report: Report, *, owner: str = "poller-1", later: float = 130) -> Finisher:
    def finish(tx: Tx, attempt: AttemptRow) -> None:
        check.apply(tx, POLICY, attempt, report, owner=owner, now=(attempt.accepted_at or 0) + later)

    return finish


def gives_up(tx: Tx, attempt: AttemptRow) -> None:
    overdue.give_up(tx, POLICY, [attempt.id], now=(attempt.accepted_at or 0) + 2000)


def is_woken(tx: Tx, attempt: AttemptRow) -> None:
    now = attempt.accepted_at or 0
    stored_webhooks.record(tx, [Delivery(attempt.id, b"{}", 2, None)], now=now)
    check_claims.claim(tx, POLICY, attempt.provider, owner="poller-4", room=0, now=now)


def loses(tx: Tx, attempt: AttemptRow) -> None:
    submit.mark_outcome_unknown(tx, POLICY, attempt, "stopped", now=attempt.accepted_at or 0)


def answers_late(tx: Tx, attempt: AttemptRow) -> None:
    now = attempt.accepted_at or 0
    submit.accepted(tx, POLICY, attempt, Accepted(JOB, 3, Ready(CLIP)), sent_at=now, now=now)


def believes(tx: Tx, attempt: AttemptRow) -> None:
    unconfirmed.accept_unverified(tx, POLICY, attempt, CLIP, now=attempt.accepted_at or 0)


def proves(tx: Tx, attempt: AttemptRow) -> None:
    now = attempt.accepted_at or 0
    unconfirmed.confirm_job(tx, POLICY, attempt, Handle(JOB), Failed("FAILED"), owner="poller-3", now=now)


def fails(tx: Tx, attempt: AttemptRow) -> None:
    settle.fail(tx, POLICY, attempt, LOST, now=(attempt.accepted_at or 0) + 1)


FINISHERS: dict[str, Finisher] = {
    "the poll finds it ready": learns(Ready(CLIP)),
    "the webhook's check finds it ready": learns(Ready(CLIP), owner="poller-2"),
    "another check finds it failed": learns(Failed("FAILED"), owner="poller-2"),
    "the last check finds it unfinished": learns(Working(), later=1000),
    "a check finds it lost": learns(UnknownJob("404")),
    "a check finds rubbish": learns(Doubtful(ErrorCode.RESULT_INVALID, "ftp://", final=True)),
    "its time is over": gives_up,
    "a webhook comes": is_woken,
    "its sender was stopped": loses,
    "the answer comes late": answers_late,
    "a body is believed": believes,
    "a body proves another job": proves,
    "somebody fails it": fails,
}
ENDINGS = [
    name for name in FINISHERS if name.startswith(("the poll", "the webhook's", "another", "its time", "somebody"))
]


def check_one_end(tx: Tx, attempt: AttemptRow) -> None:
    """Insist on one terminal event that says what the tables say."""
    told = [event.type for event in outbox.after(tx, seq=0, limit=10**6) if event.video_id == attempt.video_id]
    terminal = [kind for kind in told if kind in {"video.ready", "video.failed"}]
    video, row = videos.get(tx, attempt.video_id), attempts.get(tx, attempt.id)
    assert video is not None
    assert row is not None
    assert terminal == [f"video.{video.state}"], told
    assert told.count("video.late") <= 1
    assert row.state == ("succeeded" if video.state == "ready" else "failed")
    assert tx.execute("SELECT COUNT(*) FROM attempts WHERE video_id = ?", (video.id,)).fetchone()[0] == 1


@given(st.permutations(sorted(FINISHERS)), st.sampled_from(ENDINGS))
@settings(max_examples=300)
def test_in_whatever_order_they_come_the_video_ends_once(order: list[str], certain: str) -> None:
    connection = in_memory()
    attempt = transact(connection, begin, 1000.0)
    for name in [*order, certain]:
        transact(connection, FINISHERS[name], attempt)
    transact(connection, check_one_end, attempt)


@given(data=st.data())
@settings(max_examples=40)
def test_at_the_same_time_on_two_handles_of_one_file_it_ends_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    plan = data.draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(FINISHERS)), st.integers(0, 1), st.integers(0, 3)), min_size=8, max_size=16
        )
    )
    asyncio.run(race(tmp_path_factory.mktemp("race") / "store.db", plan, data.draw(st.sampled_from(ENDINGS))))


async def race(path: Path, plan: list[tuple[str, int, int]], certain: str) -> None:
    """Run a plan of finisher, handle and delay, all at once."""
    stores = [await Store.open(url_of(path)) for _ in range(2)]
    attempt = await stores[0].write(begin, 1000.0)

    async def finish(name: str, handle: int, delay: int) -> None:
        await asyncio.sleep(delay / 1000)
        await stores[handle].write(FINISHERS[name], attempt)

    await asyncio.gather(*(finish(*part) for part in [*plan, (certain, 0, 0)]))
    await stores[1].read(check_one_end, attempt)
    for store in stores:
        await store.close()


def finish_all(path: Path, names: list[str], gate: Any) -> None:
    """In a process of its own: end every attempt there is, in one of the ways."""

    async def run() -> None:
        store = await Store.open(url_of(path))
        ids = await store.read(lambda tx: [row[0] for row in tx.execute("SELECT id FROM attempts").fetchall()])
        rows = [await store.read(attempts.get, attempt_id) for attempt_id in ids]
        gate.wait(30)
        work = [(FINISHERS[name], row) for row in rows for name in names if row is not None]
        await asyncio.gather(*(store.write(finisher, row) for finisher, row in work))
        await store.close()

    asyncio.run(run())


async def test_four_processes_with_two_finishers_each_end_every_video_once(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = await Store.open(url_of(path))
    made = [await store.write(begin, time.time() - 100 + number) for number in range(25)]
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(4)
    processes = [
        context.Process(target=finish_all, args=(path, [*ENDINGS, *ENDINGS][number : number + 2], gate))
        for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 50)
        assert process.exitcode == 0
    for attempt in made:
        await store.read(check_one_end, attempt)
    await store.close()


def twin(tx: Tx, key: str) -> bool | None:
    """Ask for the same video under the same key; say whether this made it."""
    answer = accept.accept(tx, replace(REQUEST, idempotency_key=key), str, now=1000.0)
    return answer.created if isinstance(answer, AcceptedVideo) else None


async def test_of_twenty_twins_at_once_on_two_handles_one_makes_the_video(tmp_path: Path) -> None:
    stores = [await Store.open(url_of(tmp_path / "store.db")) for _ in range(2)]
    for key in map(str, range(20)):
        created = await asyncio.gather(*(stores[number % 2].write(twin, key) for number in range(20)))
        assert sorted(map(str, created)) == ["False"] * 19 + ["True"]
    assert len(await stores[1].read(lambda tx: videos.ask_accepted(tx, limit=100, now=START)())) == 20
    for store in stores:
        await store.close()
