"""Whatever is sent is answered as it deserves, and the next caller is served as if nothing had been."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from intake.context import Limits
from schemas.problem import CONTENT_TYPE, Problem
from tests.support.hostile_requests import CLOSED, Hostile, corpus
from tests.support.receiver import Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

CORPUS = list(corpus())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    """Give a receiver that does not wait long for what will never come."""
    folder = tmp_path_factory.mktemp("hostile")
    async with serving(folder, limits=Limits(head_seconds=0.2, body_stall=0.2)) as service:
        yield service


async def _answer(port: int, request: bytes) -> bytes:
    """Send bytes; give all that comes back until the other side closes, but for an invitation to go on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(GIVE_UP_SECONDS):
            return (await reader.read()).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("hostile", CORPUS, ids=[hostile.name for hostile in CORPUS])
async def test_a_hostile_request_gets_what_it_deserves(shared: Receiver, hostile: Hostile) -> None:
    answer = await _answer(shared.port, hostile.request)

    status = int(answer.split(b" ", 2)[1]) if answer else CLOSED
    assert status in hostile.expected, answer[:500]
    if status >= 400:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert f"content-type: {CONTENT_TYPE}".encode() in head
        assert Problem.model_validate(json.loads(body)).status == status
        assert not re.search(rb"Traceback|\.py|sqlite", body)
    assert (await shared.http.get("/healthz")).status_code == 200


async def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 200
    assert len({hostile.request for hostile in CORPUS}) == len(CORPUS)


async def test_none_of_them_left_a_broken_video_behind(shared: Receiver) -> None:
    listed = (await shared.http.get("/v1/videos", params={"limit": 200})).json()["items"]

    assert {video["status"] for video in listed} <= {"accepted"}
    counted = set(
        re.findall(r'reelbus_http_requests_total{[^}]*route="([^"]*)"', (await shared.http.get("/metrics")).text)
    )
    assert "unknown" in counted
    assert len(counted) < 100, "every address that was asked for is counted by itself"
