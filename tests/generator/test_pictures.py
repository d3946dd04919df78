"""A picture that was fetched is looked into where it can stop nobody, and what came of that is certain or is not."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generator.pictures import Pictures
from process.addresses import Addresses
from process.inspector import Inspectors
from process.tokens import Signer
from providers.http.pictures import PictureUnavailable
from schemas.names import Provider
from schemas.picture import PictureRejected
from store import uploads, videos
from store.attempts import AttemptRow
from store.database import Store
from store.transaction import Tx
from store.uploads import Upload
from store.videos import VideoRow
from tests.support.job_scenario import JobScenario
from tests.support.odd_inspector import odd_inspectors
from tests.support.pictures import picture
from tests.support.stores import url_of


@pytest.fixture
async def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pictures]:
    """Give what makes orders, with inspectors that some bytes can stop; the address says what is there."""
    odd_inspectors(monkeypatch)

    async def fetch(url: str) -> bytes:
        return picture() if url.endswith("/house.png") else url.rsplit("/", 1)[1].encode()

    store, inspectors = await Store.open(url_of(tmp_path / "reelbus.db")), Inspectors()
    addresses = Addresses("https://us.example", Signer(["a secret of the tests"]), media_ttl=60)
    yield Pictures(store, addresses, fetch, inspectors)
    await inspectors.close()
    await store.close()


@pytest.fixture
def work() -> tuple[AttemptRow, VideoRow]:
    """Give an attempt that has been claimed, with its video."""
    desk = JobScenario()
    attempt = desk.claimed(Provider("homedesigns"))
    video = desk.do(videos.get, attempt.video_id)
    assert video is not None
    return attempt, video


async def test_it_goes_out_as_what_it_is(pictures: Pictures, work: tuple[AttemptRow, VideoRow]) -> None:
    order = await pictures.order(*work, wants_bytes=True)

    assert (order.image, order.content_type) == (picture(), "image/png")


async def test_one_that_stops_its_inspector_is_rejected_and_holds_nobody_up(
    pictures: Pictures, work: tuple[AttemptRow, VideoRow]
) -> None:
    attempt, video = work
    ordering = asyncio.create_task(
        pictures.order(attempt, video._replace(image_url="https://evil.example/burn"), wants_bytes=True)
    )
    longest = 0.0
    while not ordering.done():
        began = time.perf_counter()
        await asyncio.sleep(0.01)
        longest = max(longest, time.perf_counter() - began)

    assert longest < 1.0
    with pytest.raises(PictureRejected, match="too much time or memory"):
        await ordering


async def test_an_upload_whose_file_is_missing_is_rejected_in_words(
    pictures: Pictures, work: tuple[AttemptRow, VideoRow]
) -> None:
    attempt, video = work
    video = video._replace(image_url=None)
    upload = await pictures.store.pictures.keep("image/png", picture())
    await pictures.store.write(_uploaded, video, upload)
    assert (await pictures.order(attempt, video, wants_bytes=True)).image == picture()

    await pictures.store.pictures.remove([upload.name or ""])
    with pytest.raises(PictureRejected, match="missing"):
        await pictures.order(attempt, video, wants_bytes=True)


def _uploaded(tx: Tx, video: VideoRow, upload: Upload) -> None:
    videos.add(tx, video)
    uploads.add(tx, video.id, upload)


async def test_where_no_inspector_can_be_started_it_is_tried_again(
    pictures: Pictures, work: tuple[AttemptRow, VideoRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("process.inspector._PROGRAM", "raise SystemExit(3)")

    with pytest.raises(PictureUnavailable):
        await pictures.order(*work, wants_bytes=True)
