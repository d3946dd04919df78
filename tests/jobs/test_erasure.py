"""What is older than it is kept goes, with everything of it; what is not, or has something left to do, stays."""

import time
from pathlib import Path
from typing import Any

from jobs import erasure, housekeeping
from jobs.erasure import Erased, NotFinished
from jobs.pruning import WEBHOOKS_KEPT
from store import outbox, uploads, webhooks
from store.attempts import AttemptRow
from store.database import Store
from store.uploads import Upload
from store.webhooks import Delivery
from tests.support.job_scenario import FAILED, READY, JobScenario
from tests.support.stores import tables, url_of

DAY = 86400.0


def lived(desk: JobScenario, *, published: bool = True, **fields: Any) -> AttemptRow:
    """Have a video live a whole life now, by the wall clock that ids are made by."""
    desk.now = max(desk.now, time.time()) + 2
    attempt = desk.generating(**fields)
    desk.webhook(attempt, b'{"generation_id": "job-1"}')
    desk.checked(attempt, READY)
    if published:
        publish(desk)
    return attempt


def publish(desk: JobScenario) -> None:
    told = desk.do(outbox.after, seq=0, limit=10_000)
    desk.do(outbox.mark_published, [event.seq for event in told], now=desk.now)


def sweep(desk: JobScenario) -> int:
    count = 0
    while batch := desk.do(erasure.erase_old, desk.policy, now=desk.now).number:
        assert batch <= erasure.AT_ONCE
        count += batch
    return count


def left(desk: JobScenario, *needles: str) -> set[str]:
    """Name the tables in which any of some texts still is."""
    ours = [name for name in tables() if name != "sqlite_sequence"]
    rows = {name: str(desk.connection.execute(f"SELECT * FROM {name}").fetchall()) for name in ours}  # noqa: S608 - tables' own names
    return {name for name, text in rows.items() if any(needle in text for needle in needles)}


def test_a_finished_video_goes_when_its_time_is_over_and_not_before(desk: JobScenario) -> None:
    attempt = lived(desk, metadata={"name": "a word"}, idempotency_key="a key")
    desk.now += 90 * DAY - 1
    assert sweep(desk) == 0
    desk.now += 2
    assert sweep(desk) == 1
    assert left(desk, attempt.video_id) == {"audit"}
    assert left(desk, attempt.id, "a word", "a key", "generation_id") == set()


def test_credits_still_add_up_after_their_videos_are_gone(desk: JobScenario) -> None:
    for number in range(30):
        attempt = desk.generating(job=f"job-{number}", remaining=100 - number, metadata={"n": str(number)})
        desk.checked(attempt, FAILED if number % 3 == 0 else READY)
    publish(desk)
    before = desk.credits()
    desk.now = max(desk.now, time.time()) + 91 * DAY
    assert sweep(desk) == 30
    assert desk.credits() == before
    assert (before.spent, before.refunded) == (30, 10)
    while desk.do(housekeeping.sweep, now=desk.now):
        pass
    assert desk.credits() == before
    assert left(desk, "job-7") == set()


def test_zero_days_keep_everything(desk: JobScenario) -> None:
    lived(desk)
    desk.under(retention=0).now += 10_000 * DAY
    assert sweep(desk) == 0


def test_what_is_in_work_or_was_never_told_stays_however_old(desk: JobScenario) -> None:
    untold = lived(desk, published=False)
    open_ = desk.generating(job="other")
    desk.now += 1000 * DAY
    assert sweep(desk) == 0
    assert [desk.video(each).status for each in (open_, untold)] == ["generating", "ready"]
    publish(desk)
    assert sweep(desk) == 1
    assert desk.video(open_).status == "generating"


def test_many_go_in_small_batches_and_none_is_forgotten(desk: JobScenario) -> None:
    for number in range(2 * erasure.AT_ONCE + 5):
        lived(desk, job=f"job-{number}")
    desk.now += 91 * DAY
    kept = lived(desk, job="young")
    assert sweep(desk) == 2 * erasure.AT_ONCE + 5
    assert desk.video(kept).status == "ready"


def test_a_webhook_that_comes_after_all_is_dropped_with_the_bodies(desk: JobScenario) -> None:
    attempt = lived(desk)
    assert isinstance(desk.do(erasure.erase, attempt.video_id, actor="ops", now=desk.now), Erased)
    desk.do(webhooks.record, [Delivery(attempt.id, b"late", 4, None)], now=desk.now)
    desk.due(room=0)
    desk.now += WEBHOOKS_KEPT + 1
    while desk.do(housekeeping.sweep, now=desk.now):
        pass
    assert left(desk, attempt.id) == set()


def test_an_answer_that_comes_after_all_changes_nothing(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    claimed = desk.wait_until_due(attempt)
    publish(desk)
    assert isinstance(desk.do(erasure.erase, attempt.video_id, actor="ops", now=desk.now), Erased)
    before = desk.credits()
    assert desk.learn(claimed, READY) is None
    assert (desk.bodies(), desk.credits()) == ([], before)


def test_only_what_has_ended_and_was_told_can_be_erased(desk: JobScenario) -> None:
    attempt = desk.generating()
    assert desk.do(erasure.erase, "nobody", actor="ops", now=desk.now) is None
    assert isinstance(desk.do(erasure.erase, attempt.video_id, actor="ops", now=desk.now), NotFinished)
    desk.checked(attempt, READY)
    assert isinstance(desk.do(erasure.erase, attempt.video_id, actor="ops", now=desk.now), NotFinished)
    publish(desk)
    assert isinstance(desk.do(erasure.erase, attempt.video_id, actor="ops", now=desk.now), Erased)
    assert desk.do(erasure.erase, attempt.video_id, actor="ops", now=desk.now) is None


async def test_a_death_after_the_commit_leaves_a_file_that_is_removed_later(tmp_path: Path, desk: JobScenario) -> None:
    store = await Store.open(url_of(tmp_path / "reelbus.db"))
    try:
        upload: Upload = await store.pictures.keep("image/png", b"bytes")
        desk.do(uploads.add, lived(desk).video_id, upload)
        desk.now += 91 * DAY
        dropped = desk.do(erasure.erase_old, desk.policy, now=desk.now)
        assert dropped.names == [upload.name]
        # It died here: the file has no video any more.
        assert await store.read(uploads.without_video, [str(upload.name)]) == [upload.name]
    finally:
        await store.close()
