"""A finished video can be watched: rendered from its picture where ffmpeg is there, else a small clip."""

import asyncio

import pytest

from sandbox import clips
from sandbox.clips import CLIP
from sandbox.pictures import PictureCache, size
from tests.sandbox.server import Catcher, Opener, SandboxServer, png
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _watch(stand: SandboxServer) -> bytes:
    answer = await stand.http.get(f"/clips/{(await stand.last())['marker']}.mp4")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.content[4:8] == b"ftyp"
    return answer.content


async def test_without_rendering_every_video_is_the_small_clip(stand: SandboxServer) -> None:
    await stand.video()
    assert await _watch(stand) == CLIP.read_bytes()
    assert CLIP.stat().st_size < 10_000


async def test_a_part_of_a_clip_can_be_asked_for(stand: SandboxServer) -> None:
    await stand.video()
    path = f"/clips/{(await stand.last())['marker']}.mp4"
    answer = await stand.http.get(path, headers={"range": "bytes=0-15"})
    assert (answer.status_code, len(answer.content)) == (206, 16)


async def test_a_clip_that_was_never_made_is_not_found(stand: SandboxServer) -> None:
    assert (await stand.http.get("/clips/homedesigns-0.mp4")).status_code == 404
    assert (await stand.http.get("/pictures/homedesigns-0.png")).status_code == 404


@pytest.mark.parametrize("tool", ["zoom_in", "pan_left_right", "combining_motions"])
async def test_an_upload_becomes_a_clip_of_its_own(open_stand: Opener, tool: str) -> None:
    stand = await open_stand(render_clips=True)
    await stand.video(tool=tool)
    first = await _watch(stand)
    assert (first != CLIP.read_bytes()) is (clips.ffmpeg() is not None)
    told = (await stand.status((await stand.last())["job_id"])).json()
    assert (await stand.http.get(told["input_image"])).content == png()
    assert await _watch(stand) == first


async def test_a_fetched_picture_becomes_a_clip_once_for_many_askers(open_stand: Opener, catcher: Catcher) -> None:
    stand = await open_stand(render_clips=True)
    await stand.generate(image_urls=[f"{catcher.url}/picture.png"], option="PAN_UP", format="portrait")

    async def fetched() -> bool:
        return (await stand.last())["picture_sha256"] is not None

    await eventually(fetched)
    assert len(set(await asyncio.gather(*(_watch(stand) for _ in range(4))))) == 1


async def test_a_picture_that_cannot_be_decoded_gets_the_small_clip(open_stand: Opener) -> None:
    stand = await open_stand(render_clips=True)
    await stand.video(png()[:40])
    assert await _watch(stand) == CLIP.read_bytes()


async def test_the_shelf_keeps_the_latest_pictures_within_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.pictures.SHELF_BYTES", 25)
    shelf = PictureCache()
    for name in ("a", "b", "c", "b"):
        shelf.put(name, name.encode() * 10)
    assert (shelf.get("a"), shelf.get("b"), shelf.get("c")) == (None, b"b" * 10, b"c" * 10)
    assert shelf.get(None) is None


async def test_sizes_are_read_from_headers_alone() -> None:
    measured = size(png(700, 600)[:24])
    assert measured is not None
    assert (measured.kind, measured.width, measured.height) == ("png", 700, 600)
    for broken in (b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xd9" + b"\0" * 20, b"\x89PNG\r\n\x1a\n" + b"x" * 30):
        assert size(broken) is None
