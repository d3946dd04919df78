"""The typed client does over HTTP what its methods say, against a real receiver; `reelbus erase` goes through it."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypedDict, TypeVar, get_type_hints
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import BaseModel

from reelbus import client
from reelbus.client import Client, NoEvent, ServiceAway, ServiceError, documents, read_event
from schemas import batch, event, video
from schemas.cancellation import Cancellation
from schemas.samples import sample_event
from tests.receiver.test_erasing import published
from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST, Receiver, serving
from tests.support.service import ROOT, Command
from tests.support.waiting import eventually

T = TypeVar("T")
URL = str(URL_REQUEST["image_url"])
NOBODY = "01a1fb80-55bb-754f-a0b3-000000000000"
KEY = "operator-key-of-tests"


@pytest_asyncio.fixture
async def service(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with serving(tmp_path, api_keys=f"ops:{KEY}") as serving_one:
        yield serving_one


@pytest.fixture
def reelbus(service: Receiver) -> Iterator[Client]:
    with Client(service.context.settings.local_url, api_key=KEY, timeout=20) as opened:
        yield opened


async def beside(work: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Do what blocks in a thread, while the receiver serves."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def test_a_video_is_asked_for_by_address_file_and_bytes(reelbus: Client, tmp_path: Path) -> None:
    file = tmp_path / "house.png"
    file.write_bytes(picture())
    for image in (URL, file, str(file), picture()):
        made = await beside(reelbus.submit, image, "zoom_in", metadata={"listing": "42"}, fallback=False, prompt=None)
        assert await beside(reelbus.get, made["id"]) == made
        assert made["metadata"] == {"listing": "42"}
    found = await beside(lambda: list(reelbus.videos(metadata={"listing": "42"})))
    assert len(found) == 4


async def test_the_same_key_is_the_same_video(reelbus: Client) -> None:
    made = [await beside(reelbus.submit, URL, "zoom_in", idempotency_key="order 7") for _ in range(2)]
    assert made[0]["id"] == made[1]["id"]


async def test_a_batch_gives_each_its_result(reelbus: Client) -> None:
    results = await beside(reelbus.submit_batch, [URL_REQUEST, {"motion": "fly"}])
    assert [result["status"] for result in results] == [202, 422]


async def test_who_waits_gets_the_end(service: Receiver, reelbus: Client) -> None:
    made = await beside(reelbus.submit, URL, "zoom_in")
    waiting = asyncio.create_task(beside(reelbus.wait, made["id"], timeout=30))
    await asyncio.sleep(0.2)
    await service.finish(made["id"])
    assert (await waiting)["status"] == "ready"
    assert [told["type"] for told in await beside(reelbus.events_of, made["id"])] == ["video.ready"]
    assert (await beside(reelbus.timeline, made["id"]))[0]["what"] == "accepted"


async def test_waiting_ends_when_it_must(reelbus: Client) -> None:
    made = await beside(reelbus.submit, URL, "zoom_in")
    with pytest.raises(TimeoutError, match="accepted"):
        await beside(reelbus.wait, made["id"], timeout=1)


async def test_events_are_heard_as_they_are_decided(service: Receiver, reelbus: Client) -> None:
    heard: list[client.Event] = []
    listening = threading.Thread(target=lambda: heard.append(next(reelbus.events())), daemon=True)
    listening.start()
    await asyncio.sleep(0.5)
    video_id = await service.make()

    async def told() -> bool:
        return bool(heard)

    await service.finish(video_id)
    await eventually(told, what="the event")
    assert (heard[0]["type"], heard[0]["subject"]) == ("video.ready", video_id)


async def test_a_refusal_has_its_code(reelbus: Client) -> None:
    with pytest.raises(ServiceError) as refused:
        await beside(reelbus.get, NOBODY)
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    with pytest.raises(ServiceError, match="invalid_request") as refused:
        await beside(reelbus.submit, URL, "fly")
    assert refused.value.problem["errors"][0]["field"] == "motion"


def test_a_service_that_is_away_is_told() -> None:
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(ServiceAway):
        nobody.get(NOBODY)


def test_a_message_is_read_as_an_event_or_refused() -> None:
    told = sample_event("ready")
    assert read_event(json.dumps(told).encode())["id"] == told["id"]
    for body in (b"", b"\xff", b"[]", b"{}", b'{"specversion": "1.0"}'):
        with pytest.raises(NoEvent):
            read_event(body)


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        (documents.Video, video.Video),
        (documents.Attempt, video.Attempt),
        (documents.Media, video.Media),
        (documents.Refund, video.Refund),
        (documents.Failure, video.Failure),
        (documents.Page, video.VideoPage),
        (documents.Cancellation, Cancellation),
        (documents.CancelWish, video.CancelWish),
        (documents.BatchResult, batch.BatchResult),
        (documents.Event, event.Event),
    ],
)
def test_the_types_have_the_members_that_the_service_sends(shape: type[TypedDict], model: type[BaseModel]) -> None:  # type: ignore[valid-type]  # a shape
    assert set(get_type_hints(shape)) - {"reelbustest"} == set(model.model_fields)


def test_to_import_the_client_loads_nothing_of_the_service() -> None:
    heavy = "pydantic", "starlette", "uvicorn", "aio_pika", "sqlite3", "aiohttp", "typer"
    code = f"import sys, reelbus.client; print([name for name in {heavy!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


async def erase(service: Receiver, folder: Path, *words: str) -> tuple[int, str, str]:
    env = {"REELBUS_URL": service.context.settings.local_url, "REELBUS_API_KEY": KEY}
    log = folder / f"erase-{uuid4().hex}.log"
    return await (await Command.start("erase", *words, env=env, log=log)).finish()


async def ended(service: Receiver, **fields: object) -> str:
    video_id = await service.make(**fields)
    await service.finish(video_id)
    await published(service, video_id)
    return video_id


async def test_erase_erases_what_has_ended_and_names_the_rest(service: Receiver, tmp_path: Path) -> None:
    done, open_ = await ended(service), await service.make()
    status, output, errors = await erase(service, tmp_path, "--yes", done, open_, NOBODY)
    assert (status, output.split()) == (1, [done])
    assert f"{open_}: not_finished" in errors
    assert f"{NOBODY}: not_found" in errors
    assert (await erase(service, tmp_path, "--yes", done))[0] == 4


async def test_erase_finds_videos_by_their_metadata(service: Receiver, tmp_path: Path) -> None:
    gone = [await ended(service, metadata={"customer": "7"}) for _ in range(2)]
    kept = await ended(service, metadata={"customer": "8"})
    status, output, _ = await erase(service, tmp_path, "--yes", "--metadata", "customer=7")
    assert (status, set(output.split())) == (0, set(gone))
    assert (await service.http.get(f"/v1/videos/{kept}")).status_code == 200
    assert (await erase(service, tmp_path, "--yes", "--metadata", "customer=7"))[0] == 4


async def test_erase_asks_first_and_is_refused_where_nobody_can_be_asked(service: Receiver, tmp_path: Path) -> None:
    done = await ended(service)
    status, output, errors = await erase(service, tmp_path, done)
    assert (status, output) == (2, "")
    assert "--yes" in errors
    assert (await service.http.get(f"/v1/videos/{done}")).status_code == 200
    assert (await erase(service, tmp_path, "--yes"))[0] == 2
    assert (await erase(service, tmp_path, "--yes", done, "--metadata", "a=b"))[0] == 2
