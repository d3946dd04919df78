"""Videos are listed newest first, page by page, filtered; what a list cannot be asked for is refused."""

import pytest

from store import history
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _ids(service: Receiver, **query: object) -> list[str]:
    answer = await service.http.get("/v1/videos", params=query)  # type: ignore[arg-type]  # any primitive goes
    assert answer.status_code == 200, answer.text
    return [video["id"] for video in answer.json()["items"]]


async def test_pages_follow_each_other_without_gaps_or_repeats(shared: Receiver) -> None:
    made = [await shared.make() for _ in range(7)]
    listed, cursor = [], None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await shared.http.get("/v1/videos", params=query)).json()
        listed += [video["id"] for video in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert listed == sorted(made, reverse=True)


async def test_a_page_holds_fifty_unless_told_otherwise(shared: Receiver) -> None:
    for _ in range(45):
        await shared.make()

    assert len(await _ids(shared)) == 50
    assert len(await _ids(shared, limit=200)) == 52
    assert len(await _ids(shared, limit=1)) == 1


async def test_the_next_page_is_linked_and_keeps_what_was_asked_for(shared: Receiver) -> None:
    for _ in range(3):
        await shared.make(metadata={"street": "Elm & 5th"})
    query = {"metadata.street": "Elm & 5th", "limit": "2"}
    first = await shared.http.get("/v1/videos", params=query)
    second = await shared.http.get(first.links["next"]["url"])
    assert [len(answer.json()["items"]) for answer in (first, second)] == [2, 1]
    assert second.json()["items"][0]["metadata"] == {"street": "Elm & 5th"}
    assert "next" not in second.links


async def test_videos_can_be_picked_by_status_and_provider(shared: Receiver) -> None:
    ready = await shared.make()
    await shared.finish(ready)

    assert await _ids(shared, status="ready") == [ready]
    assert await _ids(shared, status="failed") == []
    assert await _ids(shared, provider="iacrea") == []
    assert ready not in await _ids(shared, status="accepted", limit=200)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("status=done", {"status"}),
        ("status=", {"status"}),
        ("status=READY", {"status"}),
        ("status=ready&status=failed", {"status"}),
        ("provider=auto", {"provider"}),
        ("provider=none", {"provider"}),
        ("limit=0", {"limit"}),
        ("limit=201", {"limit"}),
        ("limit=-1", {"limit"}),
        ("limit=ten", {"limit"}),
        ("limit=1.5", {"limit"}),
        ("limit=", {"limit"}),
        ("limit=%D9%A5", {"limit"}),
        ("limit=99999999999999999999", {"limit"}),
        ("cursor=abc", {"cursor"}),
        ("cursor=", {"cursor"}),
        ("cursor=%00", {"cursor"}),
        ("cursor=' OR 1=1 --", {"cursor"}),
        ("offset=3", {"offset"}),
        ("limit=0&status=x&provider=y&cursor=z&page=2", {"limit", "status", "provider", "cursor", "page"}),
    ],
)
async def test_unknown_query_values_are_refused_by_name(shared: Receiver, query: str, fields: set[str]) -> None:
    answer = await shared.http.get(f"/v1/videos?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert {fault["field"] for fault in answer.json()["errors"]} == fields


@pytest.mark.parametrize("video_id", ["x", "0", "%00", "01a1fb80-55bb-754f-a0b3-000000000000", "A" * 5000, "..%2f.."])
async def test_an_unknown_video_is_not_found(shared: Receiver, video_id: str) -> None:
    for address in (f"/v1/videos/{video_id}{rest}" for rest in ("", "/timeline", "/events")):
        answer = await shared.http.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_timeline_tells_what_happened(shared: Receiver) -> None:
    video_id = await shared.make()
    await shared.finish(video_id)

    items = (await shared.http.get(f"/v1/videos/{video_id}/timeline")).json()["items"]

    assert [item["what"] for item in items] == ["accepted", "event video.ready"]


async def test_a_finished_video_can_be_redelivered_under_its_event_id(shared: Receiver) -> None:
    video_id = await shared.make()
    await shared.finish(video_id)

    answers = [await shared.http.post(f"/v1/videos/{video_id}/redeliver") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()


async def test_an_unfinished_video_has_nothing_to_redeliver(shared: Receiver) -> None:
    answer = await shared.http.post(f"/v1/videos/{await shared.make()}/redeliver")

    assert (answer.status_code, answer.json()["code"]) == (409, "no_terminal_event")


async def test_an_unknown_video_cannot_be_redelivered(shared: Receiver) -> None:
    answer = await shared.http.post("/v1/videos/01a1fb80-55bb-754f-a0b3-000000000000/redeliver")

    assert answer.status_code == 404


async def test_credits_are_told_for_each_provider(shared: Receiver) -> None:
    credit = (await shared.http.get("/v1/credits")).json()

    assert credit.keys() == {"iacrea", "homedesigns"}
    assert credit["homedesigns"]["remaining"] is None
    assert {"remaining", "remaining_at", "spent", "refunded", "unexplained"} <= credit["iacrea"].keys()


async def test_the_events_of_a_video_can_be_read_back(shared: Receiver) -> None:
    video_id = await shared.make()
    assert (await shared.http.get(f"/v1/videos/{video_id}/events")).json() == {"items": []}
    await shared.finish(video_id)

    [event] = (await shared.http.get(f"/v1/videos/{video_id}/events")).json()["items"]

    assert (event["type"], event["subject"]) == ("video.ready", video_id)
    assert event["data"] == (await shared.http.get(f"/v1/videos/{video_id}")).json()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_timeline_never_shows_a_token_of_ours(shared: Receiver) -> None:
    signer = shared.context.signer
    video_id = await shared.make()
    tokens = [signer.webhook_token("0123456789abcdef" * 2), signer.media_token(video_id, expires_at=4e9)]
    kinds = [
        '{{"webhook": "https://us.example/webhooks/iacrea/{}"}}',
        "https%3A%2F%2Fus.example%2Fmedia%2F{}?x=1",
        "{}",
    ]
    for token in tokens:
        for kind in kinds:
            body = kind.format(token) + " and theirs: " + "A" * 43
            await shared.store.write(history.note, video_id, "webhook received", now=1.0, detail=body)

    shown = (await shared.http.get(f"/v1/videos/{video_id}/timeline")).text
    assert [token for token in tokens if token in shown] == []
    assert shown.count("***") == 6
    assert shown.count("A" * 43) == 6
