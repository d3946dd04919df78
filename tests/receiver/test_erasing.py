"""A video that has ended can be erased by who may operate the service: with everything of it, and noted."""

import base64
from pathlib import Path

import pytest

from jobs import events
from schemas.names import EventType
from store import outbox
from store.database import Store
from store.transaction import Tx
from tests.support.pictures import picture
from tests.support.receiver import Receiver, serving

NOBODY = "01a1fb80-55bb-754f-a0b3-000000000000"
SECRET = "a word that is nowhere else"


async def published(service: Receiver, video_id: str) -> None:
    """Let the broker confirm a video's events."""

    def mark(tx: Tx) -> None:
        outbox.mark_published(tx, [event.seq for event in outbox.of_video(tx, video_id)], now=1.0)

    await service.store.write(mark)


async def everything(store: Store) -> str:
    """Write down all rows of all tables."""

    def read(tx: Tx) -> str:
        names = [name for (name,) in tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
        return "\n".join(
            f"{name}: {row}"
            for name in names
            for row in tx.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - the tables' own names
        )

    return await store.read(read)


async def test_a_video_goes_with_everything_of_it(service: Receiver, tmp_path: Path) -> None:
    request = {
        "image_base64": base64.b64encode(picture()).decode(),
        "motion": "zoom_in",
        "prompt": SECRET,
        "metadata": {"name": SECRET},
    }
    made = await service.http.post("/v1/videos", json=request, headers={"idempotency-key": "a key"})
    video_id = made.json()["id"]
    await service.finish(video_id)
    await published(service, video_id)
    [file] = (tmp_path / "reelbus.db-pictures").iterdir()

    answer = await service.http.delete(f"/v1/videos/{video_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert not file.exists()
    for path in ("", "/timeline", "/events"):
        assert (await service.http.get(f"/v1/videos/{video_id}{path}")).status_code == 404
    assert (await service.http.get("/v1/videos", params={"metadata.name": SECRET})).json()["items"] == []
    assert SECRET not in await everything(service.store)
    left = [row for row in (await everything(service.store)).splitlines() if video_id in row]
    assert {row.partition(":")[0] for row in left} == {"audit"}
    again = await service.http.post("/v1/videos", json=request, headers={"idempotency-key": "a key"})
    assert (again.status_code, again.json()["id"] == video_id) == (202, False)
    assert (await service.http.delete(f"/v1/videos/{video_id}")).status_code == 404


async def test_a_video_in_work_stays(service: Receiver) -> None:
    video_id = await service.make()
    answer = await service.http.delete(f"/v1/videos/{video_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_finished")
    assert "accepted" in answer.json()["detail"]


async def test_a_video_whose_end_was_not_told_yet_stays(service: Receiver) -> None:
    video_id = await service.make()
    await service.finish(video_id)
    answer = await service.http.delete(f"/v1/videos/{video_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_finished")
    await published(service, video_id)
    await service.http.post(f"/v1/videos/{video_id}/redeliver")
    assert (await service.http.delete(f"/v1/videos/{video_id}")).status_code == 409


@pytest.mark.parametrize("video_id", [NOBODY, "x", "%00"])
async def test_an_unknown_video_is_not_found(service: Receiver, video_id: str) -> None:
    assert (await service.http.delete(f"/v1/videos/{video_id}")).status_code == 404


async def test_it_is_noted_who_did_it(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys="ops:operator-key-of-tests") as service:
        video_id = await service.make()
        await service.finish(video_id)
        await published(service, video_id)
        await service.http.delete(f"/v1/videos/{video_id}")
        entry = (await service.http.get("/v1/audit")).json()["items"][0]
    assert (entry["action"], entry["actor"], entry["subject"]) == ("erased", "ops", video_id)


async def test_listeners_go_on_after_the_newest_event_was_erased(service: Receiver) -> None:
    """Places in the feed are never given twice."""
    first, second = await service.make(), await service.make()
    await service.finish(first)
    await published(service, first)
    place = (await service.store.read(outbox.after, seq=0, limit=9))[-1].seq
    assert (await service.http.delete(f"/v1/videos/{first}")).status_code == 204

    await service.finish(second)
    [event] = await service.store.read(outbox.after, seq=place, limit=9)
    assert (event.video_id, event.event_id) == (second, events.event_id(second, EventType.READY, 1))
