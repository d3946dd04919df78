"""Long polling and entity tags: a caller waits for news of a video, and is not sent twice what it has."""

import asyncio
import time
from pathlib import Path

import pytest

from jobs import feed, view
from process.api_keys import digest_of
from receiver import waiting
from schemas.scopes import ALL_SCOPES
from store import api_keys
from store.api_keys import StoredKey
from tests.support.receiver import Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS

NOBODY = "01a1fb80-55bb-754f-a0b3-000000000000"


async def test_a_tag_names_a_document_until_it_changes(service: Receiver) -> None:
    address = f"/v1/videos/{await service.make()}"
    first = await service.http.get(address)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await service.http.get(address, headers={"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await service.http.head(address)).headers["etag"] == tag
    assert (await service.http.get(address, headers={"if-none-match": '"other"'})).status_code == 200
    await service.finish(address.rpartition("/")[2])
    changed = await service.http.get(address, headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_who_waits_is_answered_when_the_video_ends(service: Receiver) -> None:
    video_id = await service.make()
    asked = asyncio.create_task(
        service.http.get(f"/v1/videos/{video_id}", headers={"prefer": "respond-async, wait=50"}, timeout=60)
    )
    await asyncio.sleep(0.3)
    assert not asked.done()
    ended_at = time.monotonic()
    await service.finish(video_id)
    answer = await asked

    assert time.monotonic() - ended_at < 10
    assert answer.json()["status"] == "ready"
    assert answer.headers["preference-applied"] == "wait=50"


async def test_an_error_that_nobody_foresaw_keeps_nobody_waiting(
    service: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, read = asyncio.Event(), feed.after

    def break_once(*args: object) -> object:
        if not broken.is_set():
            broken.set()
            raise ZeroDivisionError
        return read(*args)  # type: ignore[arg-type]  # as it is called

    monkeypatch.setattr(feed, "after", break_once)
    video_id = await service.make()
    asked = asyncio.create_task(service.http.get(f"/v1/videos/{video_id}", headers={"prefer": "wait=50"}, timeout=60))
    await asyncio.wait_for(broken.wait(), GIVE_UP_SECONDS)
    ended_at = time.monotonic()
    await service.finish(video_id)

    assert (await asked).json()["status"] == "ready"
    assert time.monotonic() - ended_at < 20


async def test_who_waits_does_not_ask_the_store_again_and_again(
    service: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    shown = view.video

    def counted(*args: object) -> object:
        nonlocal looks
        looks += 1
        return shown(*args)  # type: ignore[arg-type]  # as it is called

    monkeypatch.setattr(view, "video", counted)
    answer = await service.http.get(f"/v1/videos/{await service.make()}", headers={"prefer": "wait=3"})
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    assert looks <= 5


async def test_with_a_tag_it_waits_for_another_document(service: Receiver) -> None:
    video_id = await service.make()
    await service.finish(video_id)
    address = f"/v1/videos/{video_id}"
    tag = (await service.http.get(address)).headers["etag"]
    same = await service.http.get(address, headers={"prefer": "wait=1", "if-none-match": tag})
    assert (same.status_code, same.headers["preference-applied"]) == (304, "wait=1")
    other = await service.http.get(address, headers={"prefer": "wait=50", "if-none-match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize("prefer", ["wait=0", "wait", "wait=-1", "wait=ten", "waits=9", "handling=lenient", "wait=1x"])
async def test_other_preferences_are_ignored(service: Receiver, prefer: str) -> None:
    began = time.monotonic()
    answer = await service.http.get(f"/v1/videos/{await service.make()}", headers={"prefer": prefer})
    assert answer.status_code == 200
    assert "preference-applied" not in answer.headers
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("prefer", "applied"), [("wait=600", "wait=60"), ('return=x; wait="7"', "wait=7")])
async def test_a_finished_video_is_answered_at_once(service: Receiver, prefer: str, applied: str) -> None:
    video_id = await service.make()
    await service.finish(video_id)
    answer = await service.http.get(f"/v1/videos/{video_id}", headers={"prefer": prefer})
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, applied)


async def test_an_unknown_video_is_not_waited_for(service: Receiver) -> None:
    answer = await service.http.get(f"/v1/videos/{NOBODY}", headers={"prefer": "wait=60"})
    assert answer.status_code == 404


async def test_too_many_who_wait_are_answered_at_once(service: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_MOST_FOR_ONE", 2)
    address = f"/v1/videos/{await service.make()}"
    answers = await asyncio.gather(*(service.http.get(address, headers={"prefer": "wait=2"}) for _ in range(3)))
    assert sum("preference-applied" in answer.headers for answer in answers) == 2


async def test_a_service_that_stops_answers_those_who_wait(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        address = f"/v1/videos/{await service.make()}"
        asked = asyncio.create_task(service.http.get(address, headers={"prefer": "wait=60"}, timeout=60))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        service.stop.set()
        assert (await asked).json()["status"] == "accepted"
        assert time.monotonic() - began < 10


async def test_a_key_that_is_disabled_meanwhile_hears_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys="ops:operator-key-of-tests") as service:
        key = StoredKey("shop", digest_of(b"the key of the shop").hex(), ALL_SCOPES, None, 0.0, None, None)
        await service.store.write(api_keys.add, key)
        headers = {"authorization": "Bearer the key of the shop", "prefer": "wait=8"}
        address = f"/v1/videos/{await service.make()}"
        asked = asyncio.create_task(service.http.get(address, headers=headers, timeout=60))
        await asyncio.sleep(0.5)
        await service.store.write(api_keys.disable, "shop", now=1.0)
        assert (await asked).status_code == 401
