"""Videos are found by their metadata and by when they were made, alone and together, page by page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def found(service: Receiver, query: Mapping[str, object] | str) -> list[str]:
    answer = await service.http.get("/v1/videos", params=query)  # type: ignore[arg-type]  # any primitive goes
    assert answer.status_code == 200, answer.text
    return [video["id"] for video in answer.json()["items"]]


async def test_metadata_picks_videos_exactly(shared: Receiver) -> None:
    one = await shared.make(metadata={"listing": "42", "shop": "north"})
    two = await shared.make(metadata={"listing": "42", "shop": "south"})
    odd = await shared.make(metadata={"a.b c=d": "50 % + ü & \u2028"})
    await shared.make(metadata={"listing": "421"})

    assert await found(shared, {"metadata.listing": "42"}) == [two, one]
    assert await found(shared, {"metadata.listing": "42", "metadata.shop": "north"}) == [one]
    assert await found(shared, {"metadata.shop": "south", "metadata.listing": "42"}) == [two]
    assert await found(shared, {"metadata.listing": "42", "metadata.shop": "west"}) == []
    assert await found(shared, {"metadata.a.b c=d": "50 % + ü & \u2028"}) == [odd]
    assert await found(shared, {"metadata.listing": ""}) == []
    assert await found(shared, {"metadata.listing": "' OR 1=1 --"}) == []


async def test_it_goes_together_with_status_and_pages(shared: Receiver) -> None:
    made = [await shared.make(metadata={"page": "yes"}) for _ in range(5)]
    await shared.finish(made[2])

    assert await found(shared, {"metadata.page": "yes", "status": "ready"}) == [made[2]]
    listed: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await shared.http.get("/v1/videos", params={"metadata.page": "yes", "limit": 2, **cursor})).json()
        listed += [video["id"] for video in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert listed == made[::-1]


async def test_a_span_of_time_is_exact_at_both_ends(shared: Receiver) -> None:
    made = [await shared.make(metadata={"span": "1"}) for _ in range(3)]
    times = [(await shared.http.get(f"/v1/videos/{each}")).json()["created_at"] for each in made]

    assert await found(shared, {"metadata.span": "1", "since": times[1]}) == [made[2], made[1]]
    assert await found(shared, {"metadata.span": "1", "until": times[1]}) == [made[0]]
    assert await found(shared, {"since": times[1], "until": times[2]}) == [made[1]]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert await found(shared, {"metadata.span": "1", "since": today}) == made[::-1]
    assert await found(shared, {"until": "1970-01-01"}) == []


@pytest.mark.parametrize(
    "when", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00.5-05:00", "2026-01-31"]
)
async def test_every_usual_way_to_write_a_time_is_read(shared: Receiver, when: str) -> None:
    assert (await shared.http.get(f"/v1/videos?since={quote(when)}")).status_code == 200
    assert (await shared.http.get(f"/v1/videos?since={when}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("since=yesterday", {"since"}),
        ("since=2026-13-01", {"since"}),
        ("since=2026-01-31T25:00:00Z", {"since"}),
        ("until=1700000000", {"until"}),
        ("until=", {"until"}),
        ("until=9999-99-99", {"until"}),
        ("since=2026-01-31T12:00:00+99:00", {"since"}),
        ("since=2026-01-01&since=2026-01-02", {"since"}),
        ("metadata.=x", {"metadata."}),
        ("metadata=x", {"metadata"}),
        ("metadata.a=1&metadata.a=2", {"metadata.a"}),
        ("metadata.a=%00", {"metadata.a"}),
        ("&".join(f"metadata.k{number}=1" for number in range(17)), {"metadata"}),
        ("since=x&until=y&metadata.=z", {"since", "until", "metadata."}),
    ],
)
async def test_what_cannot_be_searched_for_is_refused_by_name(shared: Receiver, query: str, fields: set[str]) -> None:
    answer = await shared.http.get(f"/v1/videos?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert {fault["field"] for fault in answer.json()["errors"]} == fields
