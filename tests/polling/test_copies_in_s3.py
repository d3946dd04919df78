"""Copies in an object store that speaks S3: whole or not at all, checked, and the same again changes nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from poller.keeping import NotKept, clip_store
from process.environment import WrongSettings
from process.settings import Settings
from providers.http.results import NoVideo
from tests.support.s3 import S3Server, s3_server

MIB = 2**20


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with s3_server(monkeypatch) as found:
        yield found


async def pieces(size: int, *, broken: Exception | None = None) -> AsyncIterator[bytes]:
    left = size
    while left:
        piece = bytes([left % 251]) * min(left, 100_000)
        left -= len(piece)
        yield piece
        await asyncio.sleep(0)
    if broken is not None:
        raise broken


async def whole(size: int) -> bytes:
    return b"".join([piece async for piece in pieces(size)])


@pytest.mark.parametrize("size", [1_000, 12 * MIB], ids=["small", "in parts"])
async def test_a_copy_is_the_clip_itself_below_the_prefix(server: S3Server, size: int) -> None:
    clips = clip_store(f"s3://{server.bucket}/of videos/2026".replace(" ", "-"))
    for _ in range(2):  # as after a crash
        copy = await clips.keep("v-1-1", "video/mp4", size, pieces(size))
        assert (copy.url, copy.length) == (f"s3://{server.bucket}/of-videos/2026/v-1-1.mp4", size)
    assert server.objects() == {"of-videos/2026/v-1-1.mp4": await whole(size)}
    assert server.uploads_under_way() == 0


async def test_a_bucket_without_a_prefix_will_do(server: S3Server) -> None:
    copy = await clip_store(f"s3://{server.bucket}/").keep("v-1-1", None, None, pieces(10))
    assert copy.url == f"s3://{server.bucket}/v-1-1.bin"
    assert list(server.objects()) == ["v-1-1.bin"]


@pytest.mark.parametrize("size", [1_000, 12 * MIB])
async def test_what_was_damaged_on_its_way_is_no_copy(server: S3Server, size: int) -> None:
    server.damage = lambda body: b"?" + body[1:]
    with pytest.raises(NotKept, match="REELBUS_KEEP_RESULTS"):
        await clip_store(f"s3://{server.bucket}").keep("v-1-1", "video/mp4", size, pieces(size))
    assert server.objects() == {}


@pytest.mark.parametrize("size", [1_000, 12 * MIB])
async def test_half_a_clip_is_no_copy_and_leaves_no_upload(server: S3Server, size: int) -> None:
    clips = clip_store(f"s3://{server.bucket}")
    with pytest.raises(NotKept, match=rf"has {size} bytes of {size + 1}"):
        await clips.keep("v-1-1", "video/mp4", size + 1, pieces(size))
    with pytest.raises(NoVideo, match="broke off"):
        await clips.keep("v-1-1", "video/mp4", None, pieces(size, broken=NoVideo("it broke off")))
    assert server.objects() == {}
    assert server.uploads_under_way() == 0


async def test_a_bucket_that_is_not_there_is_told_without_addresses_and_keys(server: S3Server) -> None:
    with pytest.raises(NotKept) as refusal:
        await clip_store("s3://no-such-bucket").keep("v-1-1", "video/mp4", 4, pieces(4))
    assert str(refusal.value) == (
        "the object store knows no such bucket: check REELBUS_KEEP_RESULTS and the AWS_ variables"
    )
    assert server.asked


async def test_an_object_store_that_is_away_is_told(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(NotKept, match="could not be stored"):
        await clip_store(f"s3://{server.bucket}").keep("v-1-1", "video/mp4", 4, pieces(4))


async def test_one_who_gives_up_leaves_no_copy(server: S3Server) -> None:
    async def endless() -> AsyncIterator[bytes]:
        async for piece in pieces(6 * MIB):
            yield piece
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await clip_store(f"s3://{server.bucket}").keep("v-1-1", "video/mp4", None, endless())
    assert server.objects() == {}


async def test_the_event_loop_goes_on_while_a_copy_is_stored(server: S3Server) -> None:
    loop, slowest = asyncio.get_running_loop(), 0.0

    async def watch() -> None:
        nonlocal slowest
        while True:
            began = loop.time()
            await asyncio.sleep(0.01)
            slowest = max(slowest, loop.time() - began)

    watching = asyncio.create_task(watch())
    await clip_store(f"s3://{server.bucket}").keep("v-1-1", "video/mp4", None, pieces(24 * MIB))
    watching.cancel()
    assert slowest < 0.5


def test_without_obstore_the_setting_is_refused_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "poller.object_store", raising=False)
    with pytest.raises(WrongSettings, match=r"install reelbus\[s3\]"):
        clip_store("s3://clips")


@pytest.mark.parametrize("place", ["s3://", "s3://UPPER/x", "s3://clips/a b", "s3://clips/?x", "gs://clips", "clips"])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(WrongSettings, match="REELBUS_KEEP_RESULTS"):
        Settings.read({"REELBUS_KEEP_RESULTS": place}, file=None)


def test_folders_and_buckets_are_places() -> None:
    for place in ("file:///var/lib/clips", "s3://clips", "s3://clips/of/2026/"):
        assert Settings.read({"REELBUS_KEEP_RESULTS": place}, file=None).keep_results == place
