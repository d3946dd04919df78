"""Failed videos are made again over HTTP; of many retries at once one makes the video."""

import asyncio

import pytest

from jobs import settle
from jobs.assignment import route
from jobs.policy import Policy
from jobs.refunds import NOT_CHARGED, UNKNOWN
from jobs.settle import AttemptFailed
from schemas.names import ErrorCode
from schemas.video import Refund
from store import attempts
from store.transaction import Tx
from tests.support.receiver import Receiver


def _fail(tx: Tx, video_id: str, refund: Refund) -> None:
    route(tx, Policy(), now=1_800_000_000.0)
    [attempt] = attempts.of_videos(tx, [video_id])[video_id]
    failing = AttemptFailed(ErrorCode.PROVIDER_UNAVAILABLE, "it was away", refund)
    assert settle.fail(tx, Policy(), attempt, failing, now=1_800_000_000.0)


async def failed(service: Receiver, refund: Refund = NOT_CHARGED) -> str:
    video_id = await service.make(provider="iacrea")
    await service.store.write(_fail, video_id, refund)
    return video_id


async def test_a_failed_video_is_made_again(service: Receiver) -> None:
    video_id = await failed(service)
    answer = await service.http.post(f"/v1/videos/{video_id}/retry")
    assert answer.status_code == 202
    made = answer.json()
    assert made["retry_of"] == video_id
    assert made["id"] != video_id
    assert answer.headers["location"] == f"/v1/videos/{made['id']}"
    assert (await service.http.get(answer.headers["location"])).json()["retry_of"] == video_id
    assert (await service.http.get(f"/v1/videos/{video_id}")).json()["retry_of"] is None


async def test_of_many_retries_at_once_one_makes_the_video(service: Receiver) -> None:
    video_id = await failed(service)
    answers = await asyncio.gather(*(service.http.post(f"/v1/videos/{video_id}/retry") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_what_may_have_been_paid_needs_a_word(service: Receiver) -> None:
    video_id = await failed(service, UNKNOWN)
    for body in (None, {}, {"accept_risk": False}):
        answer = await service.http.post(f"/v1/videos/{video_id}/retry", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "retry_may_pay_twice")
    answer = await service.http.post(f"/v1/videos/{video_id}/retry", json={"accept_risk": True})
    assert answer.status_code == 202


async def test_what_has_not_failed_is_not_retried(service: Receiver) -> None:
    video_id = await service.make()
    answer = await service.http.post(f"/v1/videos/{video_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_failed")
    assert (await service.http.post(f"/v1/videos/{video_id[:-4]}0000/retry")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"[]", 422, None),
        (b'{"accept_risk": "yes"}', 422, "accept_risk"),
        (b'{"accept": true}', 422, "accept"),
        (b"{", 400, None),
        (b" " * 2000, 413, None),
    ],
)
async def test_a_body_that_says_something_else_is_refused(
    service: Receiver, body: bytes, status: int, field: str | None
) -> None:
    video_id = await failed(service)
    answer = await service.http.post(f"/v1/videos/{video_id}/retry", content=body)
    assert answer.status_code == status
    if field:
        assert [fault["field"] for fault in answer.json()["errors"]] == [field]
