"""Many requests in one body: each has a result of its own, in its place."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from jobs import spending
from process.api_keys import digest_of
from schemas.scopes import ALL_SCOPES
from store import api_keys
from store.api_keys import StoredKey
from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST, Receiver, serving

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def batch(service: Receiver, requests: object, **headers: str) -> list[dict[str, Any]]:
    answer = await service.http.post("/v1/videos/batch", json=requests, headers=headers)
    assert answer.status_code == 207, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def statuses(items: list[dict[str, Any]]) -> list[int]:
    return [item["status"] for item in items]


async def test_each_request_has_its_result_in_its_place(service: Receiver) -> None:
    encoded = base64.b64encode(picture()).decode()
    requests = [
        {**URL_REQUEST, "metadata": {"n": "0"}},
        {**URL_REQUEST, "motion": "fly"},
        {"image_base64": encoded, "motion": "pan_up", "metadata": {"n": "2"}},
        {"image_base64": base64.b64encode(b"no picture").decode(), "motion": "pan_up"},
        "not an object",
        {**URL_REQUEST, "metadata": {"n": "5"}},
    ]
    items = await batch(service, {"requests": requests})

    assert statuses(items) == [202, 422, 202, 422, 422, 202]
    assert [item["problem"] and item["problem"]["code"] for item in items] == [
        None, "invalid_request", None, "image_rejected", "invalid_request", None,
    ]  # fmt: skip
    for number in (0, 2, 5):
        shown = (await service.http.get(f"/v1/videos/{items[number]['video']['id']}")).json()
        assert shown == items[number]["video"]
        assert shown["metadata"] == {"n": str(number)}
    assert items[1]["video"] is None
    assert items[1]["problem"]["errors"][0]["field"] == "motion"


async def test_a_hundred_are_taken_as_a_bare_list_too(service: Receiver) -> None:
    items = await batch(service, [URL_REQUEST] * 100)
    assert statuses(items) == [202] * 100
    assert len({item["video"]["id"] for item in items}) == 100


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[", 400, "bad_request"),
        (b"{}", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b'"x"', 422, "invalid_request"),
        (b'{"requests": [], "more": 1}', 422, "invalid_request"),
        (json.dumps([URL_REQUEST] * 101).encode(), 422, "invalid_request"),
    ],
)
async def test_what_is_no_batch_is_refused_as_a_whole(service: Receiver, body: bytes, status: int, code: str) -> None:
    answer = await service.http.post("/v1/videos/batch", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await service.http.get("/v1/videos")).json()["items"] == []


async def test_a_form_is_no_batch(service: Receiver) -> None:
    answer = await service.http.post("/v1/videos/batch", data={"motion": "zoom_in"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_a_batch_that_is_sent_again_under_its_key_makes_nothing_new(service: Receiver) -> None:
    requests = [URL_REQUEST, {**URL_REQUEST, "motion": "fly"}, {**URL_REQUEST, "motion": "pan_up"}]
    first = await batch(service, requests, **{"idempotency-key": "order 7"})
    again = await batch(service, requests, **{"idempotency-key": "order 7"})
    changed = await batch(service, requests[::-1], **{"idempotency-key": "order 7"})

    assert (statuses(first), statuses(again), statuses(changed)) == ([202, 422, 202], [200, 422, 200], [409, 422, 409])
    assert [item["video"] for item in again] == [item["video"] for item in first]
    assert len((await service.http.get("/v1/videos")).json()["items"]) == 2


async def test_a_request_may_bring_its_own_key_which_is_that_of_a_request_alone(service: Receiver) -> None:
    alone = await service.http.post("/v1/videos", json=URL_REQUEST, headers={"idempotency-key": "one"})
    items = await batch(
        service,
        [
            {**URL_REQUEST, "idempotency_key": "one"},
            {**URL_REQUEST, "idempotency_key": "two"},
            {**URL_REQUEST, "idempotency_key": "two"},
            {**URL_REQUEST, "idempotency_key": ""},
            {**URL_REQUEST, "idempotency_key": 7},
        ],
    )
    assert sorted(statuses(items[1:3])) == [200, 202]
    assert (items[0]["status"], items[0]["video"]["id"]) == (200, alone.json()["id"])
    assert items[1]["video"]["id"] == items[2]["video"]["id"]
    assert statuses(items[3:]) == [422, 422]


async def test_budgets_and_scopes_hold_for_each_request(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys="ops:operator-key-of-tests") as service:
        for name, scopes in (("shop", ALL_SCOPES), ("reader", frozenset({"read"}))):
            digest = digest_of(f"the key of the {name}".encode()).hex()
            await service.store.write(
                api_keys.add,
                StoredKey(name, digest, scopes, 3, service.context.now(), None, None),  # type: ignore[arg-type]  # scopes are strings
            )
        items = await batch(service, [URL_REQUEST] * 5, authorization="Bearer the key of the shop")
        refused = await service.http.post(
            "/v1/videos/batch", json=[URL_REQUEST], headers={"authorization": "Bearer the key of the reader"}
        )
        spent = await service.store.read(spending.spent_today, "shop", now=service.context.now())

    assert sorted(statuses(items)) == [202, 202, 202, 429, 429]
    assert {item["problem"]["code"] for item in items if item["problem"]} == {"budget_exhausted"}
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert spent == 3


async def test_all_of_a_batch_belong_to_its_trace(service: Receiver) -> None:
    items = await batch(service, [URL_REQUEST] * 2, traceparent=TRACE)
    for item in items:
        await service.finish(item["video"]["id"])
        [event] = (await service.http.get(f"/v1/videos/{item['video']['id']}/events")).json()["items"]
        assert event["traceparent"] == TRACE


async def test_large_batches_at_once_all_end(service: Receiver) -> None:
    """Each holds its room once: waiting for more of it while holding some, they would wait for each other."""
    noise = base64.b64encode(picture(2000, 2000, kind="PNG") + bytes(1_200_000)).decode()
    requests = [{"image_base64": noise, "motion": "zoom_in"}, URL_REQUEST]
    ended = await asyncio.gather(*(batch(service, requests) for _ in range(5)))
    assert [statuses(items)[1] for items in ended] == [202] * 5
