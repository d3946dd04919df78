"""The address of a finished video is asked through the guard: what is no video is told as not there."""

import os
from pathlib import Path

import pytest

from poller.keeping import ClipFolder, NotKept
from providers.http.guarded import Guard
from providers.http.names import NameThreads
from providers.http.results import NoVideo, examine, opened_clip
from tests.providers.conftest import MakePeer
from tests.providers.peer import Act, hangs, header, resets, says, sends, wire

MP4 = b"\x00\x00\x00\x20ftypisom" + b"\x00" * 4000
OPEN = Guard(NameThreads(), allow_private=True, thing="video")
TYPE = {"content_type": "video/mp4"}


async def test_type_and_whole_length_are_told_of_an_answer_in_part(peer: MakePeer) -> None:
    host = await peer(says(206, MP4[:1024], **TYPE, content_range=f"bytes 0-1023/{len(MP4)}"))
    clip = await examine(host.url + "/v.mp4", OPEN, timeout=8)
    assert (clip.content_type, clip.length, clip.beginning) == ("video/mp4", len(MP4), MP4[:1024])
    assert header(host.requests[0], "range") == "bytes=0-1023"


async def test_a_host_that_sends_all_of_it_is_read_no_further_than_its_beginning(peer: MakePeer) -> None:
    host = await peer(says(200, MP4, **TYPE))
    clip = await examine(host.url + "/v.mp4", OPEN, timeout=8)
    assert (clip.length, clip.beginning) == (len(MP4), MP4[:1024])


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (404, b"gone", {}), (403, b"", {}), (500, b"", {}), (204, b"", TYPE), (200, b"", TYPE),
        (200, b"<html>not here any more</html>", {"content_type": "text/html"}),
        (200, b" \n<!doctype html>", TYPE), (200, b'{"error": "expired"}', TYPE),
        (200, b"AccessDenied", {"content_type": "application/xml"}), (200, MP4, {**TYPE, "content_encoding": "gzip"}),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_video_is_not_there(peer: MakePeer, status: int, body: bytes, headers: dict[str, str]) -> None:
    host = await peer(says(status, body, **headers))
    with pytest.raises(NoVideo):
        await examine(host.url + "/v.mp4", OPEN, timeout=8)


async def test_a_host_that_hangs_or_breaks_off_is_given_up(peer: MakePeer) -> None:
    for act in (hangs(), resets()):
        host = await peer(act)
        with pytest.raises(NoVideo):
            await examine(host.url + "/v.mp4", OPEN, timeout=0.4)


async def test_an_address_inside_is_not_connected_to(peer: MakePeer) -> None:
    host = await peer(says(200, MP4, **TYPE))
    guard = Guard(NameThreads(), allow_private=False, thing="video")
    for address in (host.url, f"http://localhost:{host.port}"):
        with pytest.raises(NoVideo, match="video's"):
            await examine(address + "/v.mp4", guard, timeout=8)
    assert host.connections == 0


async def kept(folder: Path, url: str, *, most: int = 10_000) -> str:
    """Copy a clip into a folder, as the poller does, and give its address."""
    async with opened_clip(url, OPEN, timeout=0.8, most=most) as clip:
        return (await ClipFolder(folder).keep("one", clip.content_type, clip.length, clip.pieces())).url


async def test_a_copy_is_the_clip_itself_and_the_same_again_changes_nothing(peer: MakePeer, tmp_path: Path) -> None:
    host = await peer(says(200, MP4, **TYPE))
    folder = tmp_path / "not made yet"
    for _ in range(2):
        assert await kept(folder, host.url + "/v") == (folder / "one.mp4").as_uri()
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("one.mp4", MP4)]
    assert header(host.requests[0], "range") is None


CUT_OFF = sends(wire(200, MP4, content_type="video/mp4")[:-10], close=True)
UNPROMISED = sends(wire(200, MP4, content_type="video/mp4", content_length=""), close=True)


@pytest.mark.parametrize("act", [CUT_OFF, hangs(wire(200, MP4, content_type="video/mp4")[:-10])], ids=["cut", "hangs"])
async def test_half_a_clip_is_no_copy_and_leaves_nothing(peer: MakePeer, tmp_path: Path, act: Act) -> None:
    host = await peer(act)
    with pytest.raises(NoVideo):
        await kept(tmp_path, host.url + "/v")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a folder of a test


@pytest.mark.parametrize("act", [says(200, MP4, **TYPE), UNPROMISED], ids=["promised", "unpromised"])
async def test_a_clip_that_is_larger_than_allowed_is_not_copied(peer: MakePeer, tmp_path: Path, act: Act) -> None:
    host = await peer(act)
    with pytest.raises(NoVideo, match="larger"):
        await kept(tmp_path, host.url + "/v", most=2000)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a folder of a test


async def test_a_folder_that_cannot_be_written_names_the_setting(peer: MakePeer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    host = await peer(says(200, MP4, **TYPE))
    with pytest.raises(NotKept, match="REELBUS_KEEP_RESULTS"):
        await kept(tmp_path / "file", host.url + "/v")
