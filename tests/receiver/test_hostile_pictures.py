"""Whatever picture is sent, and through which door: it is answered, and everybody else is meanwhile."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intake import commands
from tests.support.hostile_pictures import DEAR
from tests.support.odd_inspector import odd_inspectors
from tests.support.pictures import picture
from tests.support.receiver import Receiver, serving


@pytest.fixture
async def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """Give a receiver whose inspectors some bytes can stop."""
    odd_inspectors(monkeypatch)
    async with serving(tmp_path) as service:
        await upload(service, picture())
        yield service


async def upload(service: Receiver, data: bytes) -> tuple[int, str]:
    answer = await service.http.post("/v1/videos", data={"motion": "auto"}, files={"image": data}, timeout=30)
    return answer.status_code, answer.json().get("code", "")


async def longest_wait(service: Receiver, until: "asyncio.Task[object]") -> float:
    """Ask for the health again and again until something is done; give the longest time that it took, in seconds."""
    longest = 0.0
    while not until.done():
        began = time.perf_counter()
        assert (await service.http.get("/healthz")).is_success
        longest = max(longest, time.perf_counter() - began)
        await asyncio.sleep(0.01)
    return longest


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", DEAR)
async def test_every_dear_picture_is_answered(shared: Receiver, name: str) -> None:
    assert await upload(shared, DEAR[name](200_000)) in {(202, ""), (422, "image_rejected")}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_run_of_marker_bytes_stops_nobody(shared: Receiver) -> None:
    answering = asyncio.create_task(upload(shared, DEAR["a run of 0xFF"](20_000_000)))

    assert await longest_wait(shared, answering) < 1.0
    assert answering.result() == (422, "image_rejected")


async def test_others_are_served_while_pictures_stop_their_inspectors(odd: Receiver) -> None:
    hostile = [b"burn".ljust(size, b".") for size in (30, 60_000, 3_000_000)]
    answering = [asyncio.create_task(upload(odd, data)) for data in hostile]
    honest = picture(kind="JPEG")
    honest = honest[:2] + b"\xff\xe5\xea\x60" + bytes(59_998) + honest[2:]

    assert await upload(odd, honest) == (202, "")
    assert not any(task.done() for task in answering)
    await longest_wait(odd, answering[0])
    assert await asyncio.gather(*answering) == [(422, "image_rejected")] * 3


async def test_a_command_whose_picture_stops_its_inspector_is_answered(odd: Receiver) -> None:
    fields = {"motion": "auto", "image_base64": base64.b64encode(b"crash").decode()}

    reply = await commands.handle(odd.context, json.dumps(fields).encode(), "a command")

    assert (reply.accepted, reply.document["code"]) == (False, "image_rejected")


async def test_without_inspectors_a_picture_is_to_be_sent_again(odd: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("process.inspector._PROGRAM", "raise SystemExit(3)")
    await upload(odd, b"crash")

    assert await upload(odd, picture()) == (503, "overloaded")
