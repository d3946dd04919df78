"""Who takes our events is shown over HTTP, and asked of the broker seldom, however many ask us."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.reelbus.conftest import Run
from tests.support.pictures import picture
from tests.support.receiver import Receiver, serving
from tests.support.subscriptions import Desk


@pytest_asyncio.fixture
async def service(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with serving(tmp_path) as serving_:
        yield serving_


async def test_they_are_asked_for_once_however_many_ask(service: Receiver) -> None:
    service.context.subscriptions = desk = Desk()
    answers = await asyncio.gather(*(service.http.get("/v1/subscriptions") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json()["items"] == [
        {"destination": "shop", "routing_key": "video.ready.*", "consumers": 1, "messages": 0}
    ]
    assert answers[0].json()["unheard"] == ["video.failed.iacrea"]
    assert len(desk.asked) == 1


async def test_a_process_without_a_broker_says_so(service: Receiver) -> None:
    answer = await service.http.get("/v1/subscriptions")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


async def test_submit_warns_where_nobody_will_hear_of_the_end(service: Receiver, run: Run, tmp_path: Path) -> None:
    (tmp_path / "house.png").write_bytes(picture())
    words = ("submit", "house.png", "--motion", "zoom_in", "--provider")
    env = {"REELBUS_URL": service.context.settings.local_url}
    service.context.subscriptions = Desk()
    warned = await asyncio.to_thread(run, *words, "iacrea", **env)
    assert (warned.status, len(warned.output.split())) == (0, 1)
    assert warned.errors.startswith("warning: no queue is bound to video.failed.iacrea, so only the log")
    other = await asyncio.to_thread(run, *words, "homedesigns", **env)
    assert (other.status, other.errors) == (0, "")
    quiet = await asyncio.to_thread(run, *words, "iacrea", "--output", "quiet", **env)
    assert (quiet.status, quiet.errors) == (0, "")


async def test_submit_says_nothing_where_nobody_can_look(service: Receiver, run: Run, tmp_path: Path) -> None:
    (tmp_path / "house.png").write_bytes(picture())
    env = {"REELBUS_URL": service.context.settings.local_url}
    for desk in (None, Desk(fault="no management API answers")):
        service.context.subscriptions = desk
        done = await asyncio.to_thread(run, "submit", "house.png", "--motion", "zoom_in", **env)
        assert (done.status, done.errors) == (0, "")
