"""Whoever listens over HTTP hears every event once, in order, from now on or from where it left off."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from intake.context import Limits
from jobs import feed
from tests.support.receiver import Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS


class Ear:
    """One listener: reads the stream line by line."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def line(self) -> str:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            return await anext(self._lines)

    async def until_the_end(self) -> None:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            async for _ in self._lines:
                pass

    async def event(self) -> dict[str, str]:
        """Give the next event's fields, comments left out."""
        fields: dict[str, str] = {}
        while True:
            line = await self.line()
            if line == "":
                if "data" in fields:
                    return fields
                fields = {}
            name, _, value = line.partition(": ")
            if name and value:
                fields[name] = value

    async def events(self, count: int) -> list[dict[str, str]]:
        return [await self.event() for _ in range(count)]


@asynccontextmanager
async def listening(service: Receiver, after: str | None = None, **query: str) -> AsyncIterator[Ear]:
    headers = {"last-event-id": after} if after else {}
    async with service.http.stream("GET", "/v1/events", headers=headers, params=query, timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Ear(answer)


async def _finished(service: Receiver) -> str:
    video_id = await service.make()
    await service.finish(video_id)
    return video_id


async def test_an_event_comes_with_its_id_type_and_whole_body_on_one_line(service: Receiver) -> None:
    async with listening(service) as ear:
        video_id = await _finished(service)
        fields = await ear.event()

    event = json.loads(fields["data"])
    assert (fields["id"], fields["event"]) == (event["id"], "video.ready")
    assert event["data"] == (await service.http.get(f"/v1/videos/{video_id}")).json()


async def test_a_listener_hears_nothing_of_before(service: Receiver) -> None:
    await _finished(service)
    async with listening(service) as ear:
        video_id = await _finished(service)

        assert json.loads((await ear.event())["data"])["subject"] == video_id


async def test_a_listener_to_one_video_hears_of_no_other(service: Receiver) -> None:
    wanted = await service.make()
    async with listening(service, video=wanted) as ear:
        await _finished(service)
        await service.finish(wanted)
        assert json.loads((await ear.event())["data"])["subject"] == wanted


async def test_a_listener_goes_on_after_what_it_heard_last(service: Receiver) -> None:
    async with listening(service) as ear:
        videos = [await _finished(service) for _ in range(5)]
        heard = await ear.events(5)

    async with listening(service, after=heard[1]["id"]) as ear:
        again = await ear.events(3)

    assert [json.loads(event["data"])["subject"] for event in heard] == videos
    assert again == heard[2:]


async def test_a_listener_that_was_away_for_long_misses_nothing(service: Receiver) -> None:
    async with listening(service) as ear:
        await _finished(service)
        first = await ear.event()
    videos = [await service.make() for _ in range(600)]
    await asyncio.gather(*(service.finish(video_id) for video_id in videos))

    async with listening(service, after=first["id"]) as ear:
        heard = await ear.events(600)

    assert sorted(json.loads(event["data"])["subject"] for event in heard) == sorted(videos)
    assert len({event["id"] for event in heard}) == 600


async def test_an_error_that_nobody_foresaw_leaves_nobody_unheard(
    service: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, read = False, feed.after

    def break_once(*args: object) -> object:
        nonlocal broken
        if not broken:
            broken = True
            raise ZeroDivisionError
        return read(*args)  # type: ignore[arg-type]  # as it is called

    async with listening(service) as ear:
        monkeypatch.setattr(feed, "after", break_once)
        video_id = await _finished(service)

        assert json.loads((await ear.event())["data"])["subject"] == video_id
        assert broken


async def test_an_unknown_last_event_means_from_now_on(service: Receiver) -> None:
    await _finished(service)
    async with listening(service, after="no-such-event") as ear:
        video_id = await _finished(service)

        assert json.loads((await ear.event())["data"])["subject"] == video_id


async def test_every_listener_hears_everything(service: Receiver) -> None:
    async with listening(service) as one, listening(service) as other:
        await _finished(service)

        assert await one.event() == await other.event()


async def test_silence_is_broken_by_comments(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(event_comment=0.1)) as service, listening(service) as ear:
        comments = [line for line in [await ear.line() for _ in range(8)] if line.startswith(":")]

        assert len(comments) >= 2


async def test_the_stream_ends_when_the_service_stops(service: Receiver) -> None:
    async with listening(service) as ear:
        await ear.line()
        service.stop.set()

        await ear.until_the_end()


async def test_too_many_listeners_are_sent_away(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(listeners=1)) as service, listening(service) as ear:
        await ear.line()

        answer = await service.http.get("/v1/events")

        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")


async def test_a_listener_that_left_makes_room(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(listeners=1)) as service:
        async with listening(service) as ear:
            await ear.line()
        async with asyncio.timeout(5):
            while (await service.http.head("/v1/events")).status_code != 200:
                await asyncio.sleep(0.02)
