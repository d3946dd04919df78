"""An uploaded picture is on disk before its video is accepted, and goes when nobody can need it any more."""

import os
import shutil
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import accept, housekeeping
from jobs.accept import AcceptedVideo
from jobs.policy import Policy
from schemas.names import VideoStatus
from store import pictures, uploads, videos
from store.database import Store, StoreUnavailable
from store.pictures import PictureLost
from store.transaction import Tx
from store.uploads import Upload
from tests.support.job_scenario import REQUEST
from tests.support.stores import rows, url_of

BODY = bytes(range(256)) * 4_000
FIRST_RELEASE = Path(__file__).with_name("first_release.db")
LONG_AFTER = 2_000_000_000.0
NOW = 1_800_000_000.0


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(url_of(path))
    yield opened
    await opened.close()


@pytest.fixture
def folder(path: Path) -> Path:
    return path.with_name(f"{path.name}-pictures")


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def made(tx: Tx, upload: Upload) -> str:
    """Accept a video with a picture."""
    answer = accept.accept(tx, replace(REQUEST, image_url=None, picture=upload), str, now=NOW)
    assert isinstance(answer, AcceptedVideo)
    return answer.video.id


def ended(tx: Tx, video_id: str) -> None:
    assert videos.ask_finish(tx, video_id, VideoStatus.READY, error=None, now=NOW)()


async def uploaded(store: Store) -> str:
    return await store.write(made, await store.pictures.keep("image/png", BODY))


async def test_a_picture_is_given_back_whole_and_in_pieces(store: Store) -> None:
    video_id = await uploaded(store)

    assert await store.pictures.read(video_id) == (await store.read(uploads.of_video, video_id), BODY)
    async with store.pictures.opened(video_id) as found:
        assert found is not None
        assert b"".join([piece async for piece in found.pieces()]) == BODY


async def test_no_picture_is_written_into_the_database(store: Store, path: Path) -> None:
    for _ in range(8):
        await uploaded(store)

    assert sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*") if each.is_file()) < 2_000_000
    assert rows(path, "SELECT COUNT(*) FROM pictures") == [(0,)]


async def test_only_we_can_read_it(store: Store, folder: Path) -> None:
    upload = await store.pictures.keep("image/png", BODY)

    assert upload.name is not None
    assert mode(folder) == 0o700
    assert mode(folder / upload.name) == 0o600


async def test_it_is_synced_before_it_has_its_name_and_its_name_before_it_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.pictures.keep("image/png", b"so that the folder is there")
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().suffix}")
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    await store.pictures.keep("image/png", BODY)

    assert steps == ["sync .part", "rename", "sync .db-pictures"]


async def test_what_is_missing_or_damaged_is_said_so(store: Store, folder: Path) -> None:
    video_id = await uploaded(store)
    [file] = files(folder)

    file.write_bytes(b"!" + BODY[1:])
    with pytest.raises(PictureLost, match="damaged"):
        await store.pictures.read(video_id)
    file.write_bytes(BODY[1:])
    with pytest.raises(PictureLost, match="damaged"):
        await store.pictures.read(video_id)
    file.unlink()
    with pytest.raises(PictureLost, match="missing"):
        await store.pictures.read(video_id)


async def test_a_folder_that_cannot_be_written_is_the_stores_trouble_and_leaves_nothing(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        await store.pictures.keep("image/png", BODY)
    monkeypatch.undo()

    assert files(folder) == []


async def test_it_goes_with_its_row_and_not_before(store: Store, folder: Path) -> None:
    policy = Policy(media_ttl=60)
    kept, dropped = await uploaded(store), await uploaded(store)
    await store.write(ended, dropped)

    assert await store.write(housekeeping.drop_pictures, policy, now=NOW + 59) == (0, [])
    count, names = await store.write(housekeeping.drop_pictures, policy, now=NOW + 61)
    await store.pictures.remove(names)

    assert count == 1
    assert await store.pictures.read(dropped) is None
    assert await store.pictures.read(kept) is not None
    assert len(files(folder)) == 1


async def test_it_can_be_read_to_its_end_while_it_is_dropped(store: Store) -> None:
    video_id = await uploaded(store)
    async with store.pictures.opened(video_id) as found:
        assert found is not None
        await store.pictures.remove([found.upload.name or ""])
        assert b"".join([piece async for piece in found.pieces()]) == BODY


async def test_what_a_crash_left_without_a_video_goes_after_a_while(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    video_id = await uploaded(store)
    late = await store.pictures.keep("image/png", b"its video is accepted later")
    await store.pictures.keep("image/png", b"nobody's")
    (folder / "half.part").write_bytes(b"written half")

    assert await store.pictures.remove_orphans() == 0
    clock[0] += pictures.ORPHAN_SECONDS - 1
    assert await store.pictures.remove_orphans() == 0
    await store.write(made, late)
    clock[0] += 2
    assert await store.pictures.remove_orphans() == 2

    assert len(files(folder)) == 2
    assert await store.pictures.read(video_id) is not None


async def test_no_statement_about_pictures_scans_what_grows(store: Store) -> None:
    def plans(tx: Tx) -> list[str]:
        seen: list[str] = []
        run = tx.execute

        def explained(sql: str, parameters: Any = ()) -> Any:
            seen.extend(row[3] for row in run(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall())
            return run(sql, parameters)

        tx.execute = explained
        uploads.retire(tx, "nobody", now=NOW)
        uploads.drop(tx, unused_before=NOW, limit=50)
        uploads.without_video(tx, ["one", "another"])
        uploads.of_video(tx, "nobody")
        uploads.body(tx, "nobody")
        return seen

    seen = await store.write(plans)
    assert len(seen) >= 5
    assert [plan for plan in seen if "SEARCH" not in plan] == []


async def test_pictures_of_an_earlier_release_are_served_and_dropped_as_ever(path: Path) -> None:
    shutil.copy(FIRST_RELEASE, path)
    [(video_id, body), *_] = rows(path, "SELECT video_id, body FROM pictures ORDER BY video_id")
    [(finished,)] = rows(path, "SELECT COUNT(*) FROM videos WHERE completed_at IS NOT NULL")
    store = await Store.open(url_of(path))

    assert await store.pictures.read(video_id) == (Upload("image/png", len(body), None, None), body)
    assert await store.write(housekeeping.drop_pictures, Policy(), now=LONG_AFTER) == (finished, [])
    assert rows(path, "SELECT COUNT(*) FROM pictures p JOIN videos v ON v.id = p.video_id WHERE completed_at > 0") == [
        (0,)
    ]
    await store.close()
