"""The same idempotency key and request give the same video, however often and however many at once."""

import asyncio
import base64
from pathlib import Path

import pytest

from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST, Receiver, serving

KEY = {"idempotency-key": "order 17"}


async def test_the_same_request_again_gives_the_same_video(service: Receiver) -> None:
    first = await service.http.post("/v1/videos", json=URL_REQUEST, headers=KEY)
    again = await service.http.post("/v1/videos", json=dict(reversed(URL_REQUEST.items())), headers=KEY)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]


async def test_another_request_under_the_same_key_is_a_conflict(service: Receiver) -> None:
    await service.http.post("/v1/videos", json=URL_REQUEST, headers=KEY)

    answer = await service.http.post("/v1/videos", json={**URL_REQUEST, "prompt": "other"}, headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert len((await service.http.get("/v1/videos")).json()["items"]) == 1


async def test_another_picture_under_the_same_key_is_a_conflict(service: Receiver) -> None:
    for width, status in ((512, 202), (512, 200), (513, 409)):
        files = {"image": picture(width)}
        answer = await service.http.post("/v1/videos", data={"motion": "auto"}, files=files, headers=KEY)
        assert answer.status_code == status


async def test_the_same_picture_is_the_same_request_in_every_form(service: Receiver) -> None:
    encoded = base64.b64encode(picture()).decode()
    first = await service.http.post("/v1/videos", json={"image_base64": encoded, "motion": "auto"}, headers=KEY)
    files = {"image": picture()}
    again = await service.http.post("/v1/videos", data={"motion": "auto", "fallback": "true"}, files=files, headers=KEY)

    assert again.status_code == 200
    assert again.json() == first.json()


async def test_of_twenty_at_once_exactly_one_is_new(service: Receiver) -> None:
    requests = [service.http.post("/v1/videos", json=URL_REQUEST, headers=KEY) for _ in range(20)]

    answers = await asyncio.gather(*requests)

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await service.http.get("/v1/videos")).json()["items"]) == 1


@pytest.mark.asyncio(loop_scope="module")
async def test_without_a_key_every_request_makes_a_video(shared: Receiver) -> None:
    assert await shared.make() != await shared.make()


async def test_each_api_key_has_its_own_space(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys="shop:shop-key-of-tests,office:office-key-of-tests") as service:
        for key in ("shop-key-of-tests", "office-key-of-tests"):
            headers = {**KEY, "authorization": f"Bearer {key}"}
            answer = await service.http.post("/v1/videos", json=URL_REQUEST, headers=headers)
            assert answer.status_code == 202


async def test_a_refused_request_uses_no_key_up(service: Receiver) -> None:
    refused = await service.http.post("/v1/videos", json={**URL_REQUEST, "motion": "fly"}, headers=KEY)
    accepted = await service.http.post("/v1/videos", json=URL_REQUEST, headers=KEY)

    assert (refused.status_code, accepted.status_code) == (422, 202)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("key", ["x" * 255, "~", "a b"])
async def test_keys_of_up_to_255_characters_are_taken(shared: Receiver, key: str) -> None:
    answer = await shared.http.post("/v1/videos", json=URL_REQUEST, headers={"idempotency-key": key})

    assert answer.status_code == 202


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("key", [b"", b"x" * 256, b"caf\xc3\xa9"], ids=["empty", "too long", "not ASCII"])
async def test_other_keys_are_refused_by_name(shared: Receiver, key: bytes) -> None:
    answer = await shared.http.post("/v1/videos", json={}, headers={b"idempotency-key": key})

    fields = {fault["field"] for fault in answer.json()["errors"]}
    assert answer.status_code == 422
    assert {"Idempotency-Key", "motion", "image_url"} <= fields


@pytest.mark.asyncio(loop_scope="module")
async def test_two_keys_at_once_are_refused(shared: Receiver) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]

    answer = await shared.http.post("/v1/videos", json=URL_REQUEST, headers=headers)

    assert answer.status_code == 422
